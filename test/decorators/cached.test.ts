/** Decorated methods: whose entries they share and whose not, and what they refuse. */

import { describe, expect, it } from 'vitest';
import type { Cache } from 'hotshelf';
import { cached, invalidates, keyOf } from 'hotshelf/decorators';
import { codeOf, forms, shelves } from '../cache/forms.ts';

const wrongOption = expect.objectContaining({ code: 'OPTION_INVALID' });

type AnyDecorator = (...applied: readonly unknown[]) => unknown;

/** Stands around a method as the decorators of other packages do. */
function loud<Fn extends (...args: never[]) => unknown>(fn: Fn): Fn {
  return new Proxy(fn, {});
}

/** Applies a decorator as TypeScript does with `experimentalDecorators`. */
function legacy(decorator: unknown, home: object, name: string | symbol): void {
  const changed = (decorator as AnyDecorator)(home, name, Object.getOwnPropertyDescriptor(home, name));
  Object.defineProperty(home, name, changed as PropertyDescriptor);
}

/** A class with one cached method, made anew by each call. */
function makeCities(cache: Cache, rule: Parameters<typeof cached>[1] = {}) {
  return class Cities {
    loads = 0;
    @cached(cache, rule)
    async byId(id: number) {
      this.loads += 1;
      return { id };
    }
  };
}

describe.each(forms)('a cached method, %s', (form) => {
  it('caches, shares flights and is invalidated by the key that keyOf tells', async () => {
    const { cache } = shelves(form);
    const cities = new (makeCities(cache))();
    await Promise.all([cities.byId(7), cities.byId(7)]);
    expect(await cities.byId(7)).toEqual({ id: 7 });
    expect(cities.loads).toBe(1);
    await cache.invalidate(keyOf(cities, 'byId', 8));
    await cities.byId(7);
    expect(cities.loads).toBe(1);
    await cache.invalidate(keyOf(cities, 'byId', 7));
    await cities.byId(7);
    expect(cities.loads).toBe(2);
  });

  it('is not cached while a method that invalidates it writes', async () => {
    const { cache } = shelves(form);
    class Counter {
      value = 1;
      seen: number[] = [];
      @cached(cache)
      async read(): Promise<number> {
        return this.value;
      }
      @invalidates(cache, {
        keys(this: Counter) {
          return [keyOf(this, 'read')];
        },
      })
      async write(value: number): Promise<string> {
        this.seen.push(await this.read());
        this.value = value;
        this.seen.push(await this.read());
        return 'written';
      }
    }
    const counter = new Counter();
    expect(await counter.read()).toBe(1);
    expect(await counter.write(2)).toBe('written');
    expect(counter.seen).toEqual([1, 2]);
    expect(await counter.read()).toBe(2);
  });

  it('invalidates also after a write that failed, and throws its error', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    class Table {
      @cached(cache, { key: () => 'row' })
      async read() {
        return (loads += 1);
      }
      @invalidates(cache, { keys: ['row'] })
      async write() {
        throw new RangeError('refused');
      }
    }
    const table = new Table();
    await table.read();
    await expect(table.write()).rejects.toThrow(RangeError);
    expect(await table.read()).toBe(2);
  });
});

describe('a cached method', () => {
  it('has one place for all instances, and one for each class that defines it', async () => {
    const { cache } = shelves();
    class Base {
      @cached(cache)
      async title() {
        return 'base';
      }
    }
    class Sub extends Base {
      @cached(cache)
      override async title() {
        return `sub of ${await super.title()}`;
      }
    }
    const sub = new Sub();
    expect([await sub.title(), await sub.title()]).toEqual(['sub of base', 'sub of base']);
    expect(keyOf(sub, 'title')).toEqual(['Sub.title']);
  });

  it('refuses to answer for two classes that inherit it, unless it is told how', async () => {
    const { cache } = shelves();
    const make = (rule: Parameters<typeof cached>[1]) => {
      class Repository {
        readonly table: string = 'none';
        @cached(cache, rule)
        async byId(id: number) {
          return `${this.table} ${id}`;
        }
      }
      class Users extends Repository {
        override readonly table: string = 'users';
      }
      class Orders extends Repository {
        override readonly table: string = 'orders';
      }
      return { users: new Users(), orders: new Orders() };
    };
    const { users, orders } = make({});
    expect([await users.byId(7), await users.byId(7)]).toEqual(['users 7', 'users 7']);
    await expect(orders.byId(7)).rejects.toThrow(/Users and Orders, and their entries would mix/);
    expect(await users.byId(7)).toBe('users 7');

    const apart = make({
      key(this: { table: string }, id: number) {
        return [this.table, id];
      },
    });
    expect([await apart.users.byId(7), await apart.orders.byId(7)]).toEqual(['users 7', 'orders 7']);
    const shared = make({ name: 'shared' });
    expect([await shared.users.byId(7), await shared.orders.byId(7)]).toEqual(['users 7', 'users 7']);
  });

  it('refuses two classes of one name on one cache, and takes them with a name or on two caches', async () => {
    const { cache } = shelves();
    const [one, two, named] = [makeCities(cache), makeCities(cache), makeCities(cache, { name: 'cities' })];
    const elsewhere = makeCities(cache.namespace('elsewhere'));
    await new one().byId(7);
    await expect(new two().byId(7)).rejects.toThrow(/\.byId" too, and their entries would mix/);
    await expect(new two().byId(7)).rejects.toEqual(wrongOption);
    expect(await new one().byId(7)).toEqual({ id: 7 });
    expect(await new named().byId(7)).toEqual({ id: 7 });
    expect(keyOf(new named(), 'byId', 7)).toEqual(['cities', 7]);
    expect(await new elsewhere().byId(7)).toEqual({ id: 7 });
    expect(await codeOf(new (makeCities(cache, { name: 'cities' }))().byId(7))).toBe('OPTION_INVALID');
  });

  it('finds its class under another decorator, if only one can be it', async () => {
    const { cache } = shelves();
    class Base {
      @loud
      @cached(cache)
      async title() {
        return 'base';
      }
    }
    class Sub extends Base {
      override async title() {
        return `sub of ${await super.title()}`;
      }
    }
    await expect(new Sub().title()).rejects.toThrow(/Cannot tell which class/);
    expect(await new Base().title()).toBe('base');
  });

  it('needs a name where there is none', async () => {
    const { cache } = shelves();
    const symbol = Symbol('title');
    const Anonymous = (() =>
      class {
        @cached(cache)
        async title() {
          return 'anonymous';
        }
      })();
    class Odd {
      @cached(cache)
      async [symbol]() {
        return 'symbol';
      }
      @cached(cache)
      async #title() {
        return 'private';
      }
      @cached(cache, { name: 'named' })
      async #named() {
        return 'private';
      }
      title() {
        return this.#title();
      }
      named() {
        return this.#named();
      }
    }
    Object.defineProperty(Anonymous, 'name', { value: '' });
    for (const call of [new Anonymous().title(), new Odd()[symbol](), new Odd().title()]) {
      await expect(call).rejects.toThrow(/Give @cached a `name` or a `key`/);
    }
    expect([await new Odd().named(), await new Odd().named()]).toEqual(['private', 'private']);
    const byId: (id: number) => Promise<unknown> = Reflect.get(new (makeCities(cache))(), 'byId');
    await expect(byId(7)).rejects.toEqual(wrongOption);
  });

  it('tells static methods from others', async () => {
    const { cache } = shelves();
    class Cities {
      @cached(cache)
      static async all() {
        return 'static';
      }
      @cached(cache)
      async all() {
        return 'of an object';
      }
    }
    for (let round = 0; round < 3; round += 1) {
      expect([await Cities.all(), await new Cities().all()]).toEqual(['static', 'of an object']);
    }
    expect(keyOf(Cities, 'all')[0]).toMatch(/^_?Cities\.static\.all$/);
  });

  it('asks each object for its cache', async () => {
    const { cache } = shelves();
    class Cities {
      loads = 0;
      readonly #cache: Cache;
      constructor(own: Cache) {
        this.#cache = own;
      }
      @cached((self: Cities) => self.#cache)
      async byId(id: number) {
        this.loads += 1;
        return id;
      }
      @invalidates((self: Cities) => self.#cache, function (this: Cities, id: number) {
        return [keyOf(this, 'byId', id)];
      })
      async change(id: number) {
        return id;
      }
    }
    const [a, b] = [new Cities(cache.namespace('a')), new Cities(cache.namespace('b'))];
    for (let round = 0; round < 3; round += 1) await Promise.all([a.byId(7), b.byId(7)]);
    expect([a.loads, b.loads]).toEqual([1, 1]);
    await a.change(7);
    await Promise.all([a.byId(7), b.byId(7)]);
    expect([a.loads, b.loads]).toEqual([2, 1]);
    const lost = new Cities(undefined as unknown as Cache);
    await expect(lost.byId(7)).rejects.toThrow(/a cache that createCache\(\) made, got undefined/);
    await expect(lost.change(7)).rejects.toEqual(wrongOption);
  });

  it('works as an experimental decorator, and leaves metadata where it was', async () => {
    const { cache } = shelves();
    class Cities {
      static lists = 0;
      loads = 0;
      async byId(id: number) {
        this.loads += 1;
        return id;
      }
      static async all() {
        this.lists += 1;
        return 'all';
      }
    }
    const route = Symbol('route');
    Object.assign(Reflect.get(Cities.prototype, 'byId'), { [route]: '/cities/:id' });
    legacy(cached(cache), Cities.prototype, 'byId');
    legacy(cached(cache), Cities, 'all');
    const cities = new Cities();
    expect([await cities.byId(7), await cities.byId(7), cities.loads]).toEqual([7, 7, 1]);
    expect([await Cities.all(), await Cities.all(), Cities.lists]).toEqual(['all', 'all', 1]);
    expect(keyOf(cities, 'byId', 7)).toEqual(['Cities.byId', 7]);
    expect([cities.byId.name, cities.byId.length]).toEqual(['byId', 1]);
    expect(Reflect.get(Reflect.get(cities, 'byId'), route)).toBe('/cities/:id');
  });

  it('is refused where its class is defined, with a wrong rule or on what is no method', () => {
    const { cache } = shelves();
    const apply = (decorator: () => unknown) => () => legacy(decorator(), { async byId() {} }, 'byId');
    const wrong = (value: unknown) => value as never;
    for (const make of [
      () => cached(cache, wrong({ tll: '5m' })),
      () => cached(cache, wrong({ ttl: -1 })),
      () => cached(cache, wrong({ name: '' })),
      () => cached(cache, wrong({ key: 'city' })),
      () =>
        cached(
          wrong(() => cache),
          wrong({ tll: '5m' }),
        ),
      () => cached(wrong({})),
      () => cached(wrong(undefined)),
      () => invalidates(cache, wrong({})),
      () => invalidates(cache, wrong(undefined)),
      () => invalidates(cache, wrong({ keys: 'city' })),
      () => invalidates(cache, wrong({ keys: [], setle: 1 })),
      () => invalidates(cache, wrong({ keys: [], settle: -1 })),
      () => invalidates(wrong({}), () => []),
    ]) {
      expect(apply(make)).toThrow(wrongOption);
    }
    expect(apply(() => cached(cache, wrong({ nmae: 'x' })))).toThrow('Did you mean `name`?');
    expect(apply(() => cached(cache, wrong({ kye: 'x' })))).toThrow('Did you mean `key`?');
    expect(apply(() => cached(cache))).not.toThrow();
    const decorator = cached(cache) as unknown as AnyDecorator;
    expect(() => decorator(undefined, { kind: 'field', addInitializer() {}, name: 'byId' })).toThrow(
      /methods only, got field/,
    );
    expect(() => decorator({}, 'byId')).toThrow(wrongOption);
    expect(() => decorator(Date)).toThrow(wrongOption);
  });

  it('tells no key of a method that is not cached', () => {
    const plain = {
      async byId(id: number) {
        return id;
      },
    };
    expect(() => keyOf(plain, 'byId', 7)).toThrow(wrongOption);
  });
});
