/** Caching the methods of a repository: in place, with its private fields, and without a way past. */

import { describe, expect, it } from 'vitest';
import { cacheAll } from 'hotshelf';
import { codeOf, forms, shelves } from './forms.ts';

interface City {
  readonly id: number;
  readonly name: string;
}

class Cities {
  readonly #names = new Map([[7, 'Nizza']]);
  loads = 0;

  async byId(id: number): Promise<City | null> {
    this.loads += 1;
    const name = this.#names.get(id);
    return name === undefined ? null : { id, name };
  }

  async nameOf(id: number): Promise<string | undefined> {
    return (await this.byId(id))?.name;
  }

  async rename(id: number, name: string): Promise<string> {
    this.#names.set(id, name);
    return `renamed to ${name}`;
  }

  count(): number {
    return this.#names.size;
  }
}

class NamedCities extends Cities {
  override async byId(id: number): Promise<City | null> {
    const city = await super.byId(id);
    return city && { ...city, name: city.name.toUpperCase() };
  }
}

const wrongOption = expect.objectContaining({ code: 'OPTION_INVALID' });

describe.each(forms)('a cached repository, %s', (form) => {
  it('caches its methods, also where they call each other, and keeps its private fields', async () => {
    const { cache } = shelves(form);
    const cities = cacheAll(cache, new Cities(), { byId: { ttl: '5m' } });
    for (let round = 0; round < 3; round += 1) {
      expect(await cities.byId(7)).toEqual({ id: 7, name: 'Nizza' });
      expect(await cities.nameOf(7)).toBe('Nizza');
      expect(await cities.byId(8)).toBeNull();
    }
    expect(cities.loads).toBe(2);
    expect(cities.count()).toBe(1);
  });

  it('lets writes invalidate, with what they return', async () => {
    const { cache } = shelves(form);
    const cities = cacheAll(cache, new Cities(), {
      byId: { key: (id) => ['city', id] },
      rename: { invalidates: (id) => [['city', id]] },
    });
    expect(await cities.nameOf(7)).toBe('Nizza');
    expect(await cities.rename(7, 'Nice')).toBe('renamed to Nice');
    expect(await cities.nameOf(7)).toBe('Nice');
    expect(cities.loads).toBe(2);
  });

  it('invalidates by hand, and by tags', async () => {
    const { cache } = shelves(form);
    const cities = cacheAll(cache, new Cities(), {
      byId: { tags: (_, id) => [['city', id]] },
      rename: { invalidates: { tags: (id) => [['city', id]] } },
    });
    await cities.byId(7);
    await cities.byId.invalidate(7);
    await cities.byId(7);
    expect(cities.loads).toBe(2);
    expect(cities.byId.key(7)).toEqual(['Cities.byId', 7]);
    await cities.rename(7, 'Nice');
    expect(await cities.nameOf(7)).toBe('Nice');
  });

  it('shares the entries of all instances, unless the key tells them apart', async () => {
    const { cache } = shelves(form);
    const [one, other] = [new Cities(), new Cities()].map((cities) => cacheAll(cache, cities, { byId: {} }));
    await one?.byId(7);
    await other?.byId(7);
    expect([one?.loads, other?.loads]).toEqual([1, 0]);

    class Tenant extends Cities {
      readonly tenant: string;
      constructor(tenant: string) {
        super();
        this.tenant = tenant;
      }
    }
    const key = {
      key(this: Tenant, id: number) {
        return ['tenant', this.tenant, id];
      },
    };
    const [a, b] = ['a', 'b'].map((tenant) => cacheAll(cache, new Tenant(tenant), { byId: key }));
    await a?.byId(7);
    await b?.byId(7);
    expect([a?.loads, b?.loads]).toEqual([1, 1]);
  });
});

describe('a cached repository', () => {
  it('is the object itself, and leaves its class and other methods alone', async () => {
    const { cache } = shelves();
    const original = new Cities();
    const cities: Cities = cacheAll(cache, original, { byId: {} });
    expect(cities).toBe(original);
    expect(Object.hasOwn(cities, 'rename')).toBe(false);
    expect(Object.hasOwn(new Cities(), 'byId')).toBe(false);
    expect(Object.keys(cities)).toEqual(['loads']);
  });

  it('works with methods that are taken off it', async () => {
    const { cache } = shelves();
    const byId: (id: number) => Promise<unknown> = Reflect.get(cacheAll(cache, new Cities(), { byId: {} }), 'byId');
    expect(await byId(7)).toEqual({ id: 7, name: 'Nizza' });
    expect(byId.name).toBe('byId');
  });

  it('calls the overridden method of its superclass past the cache', async () => {
    const { cache } = shelves();
    const cities = cacheAll(cache, new NamedCities(), { byId: {} });
    expect([await cities.nameOf(7), await cities.nameOf(7)]).toEqual(['NIZZA', 'NIZZA']);
    expect(cities.loads).toBe(1);
    expect(cities.byId.key(7)).toEqual(['NamedCities.byId', 7]);
  });

  it('takes an object of no class under a name', async () => {
    const { cache } = shelves();
    let loads = 0;
    const make = () => ({ byId: async (id: number) => ({ id, load: (loads += 1) }) });
    expect(() => cacheAll(cache, make(), { byId: {} })).toThrow(/`name`/);
    const cities = cacheAll(cache, make(), { byId: {} }, { name: 'cities' });
    expect(Object.keys(cities)).toEqual(['byId']);
    expect([(await cities.byId(7)).load, (await cities.byId(7)).load]).toEqual([1, 1]);
    expect(cities.byId.key(7)).toEqual(['cities.byId', 7]);
  });

  it('refuses two classes of one name on one cache, and takes them on two', () => {
    const { cache, open } = shelves();
    const namesake = () => {
      class Cities {
        async byId(id: number) {
          return `another ${id}`;
        }
      }
      return new Cities();
    };
    cacheAll(cache, namesake(), { byId: {} });
    expect(() => cacheAll(cache, namesake(), { byId: {} })).toThrow(/`name`/);
    expect(() => cacheAll(cache.namespace('other'), namesake(), { byId: {} })).not.toThrow();
    expect(() => cacheAll(open({ prefix: 'other' }), namesake(), { byId: {} })).not.toThrow();
    expect(() => cacheAll(cache, namesake(), { byId: {} }, { name: 'others' })).not.toThrow();
    expect(() => cacheAll(cache, namesake(), { byId: { key: (id) => ['other', id] } })).not.toThrow();
  });

  it('refuses what cannot be cached, and replaces nothing then', async () => {
    const { cache } = shelves();
    const refused = (repository: object, rules: object, options?: object) =>
      expect(() => cacheAll(cache, repository, rules, options)).toThrow(wrongOption);
    const cities = new Cities();
    refused(cities, { byId: {}, absent: {} });
    refused(cities, { byId: {}, loads: {} });
    refused(cities, { byId: {}, rename: { ttl: -1 } });
    refused(cities, { byId: {}, rename: { invalidates: {} } });
    refused(cities, { byId: {}, rename: { invalidates: () => [], ttl: '5m' } });
    refused(cities, { byId: {}, rename: true });
    refused(cities, undefined as never);
    refused(null as never, { byId: {} });
    refused(cities, { byId: {} }, { nmae: 'cities' });
    refused(Object.freeze(new Cities()), { byId: {} });
    expect(Object.getOwnPropertyNames(cities)).toEqual(['loads']);
    cacheAll(cache, cities, { byId: {} });
    refused(cities, { byId: {} });
    expect(() => cacheAll({} as typeof cache, new Cities(), {})).toThrow(wrongOption);
  });

  it('rejects a write whose keys are bad before anything is written', async () => {
    const { cache } = shelves();
    const cities = cacheAll(cache, new Cities(), { rename: { invalidates: () => [[Number.NaN]] } });
    expect(await codeOf(cities.rename(7, 'Nice'))).toBe('KEY_INVALID');
    expect(await cities.nameOf(7)).toBe('Nizza');
  });
});

/** Only compiled. */
export function types(): void {
  const { cache } = shelves();
  const cities = new Cities();
  cacheAll(cache, cities, { byId: { key: (id) => ['city', id.toFixed(0)], unless: (value) => value === null } });
  // @ts-expect-error no such method
  cacheAll(cache, cities, { byId: {}, byID: {} });
  // @ts-expect-error it promises nothing
  cacheAll(cache, cities, { count: {} });
  // @ts-expect-error the key is made of another type
  cacheAll(cache, cities, { byId: { key: (id: string) => ['city', id] } });
  // @ts-expect-error the value may be null
  cacheAll(cache, cities, { byId: { unless: (value: City) => value.id === 0 } });
  // @ts-expect-error the keys are made of another type
  cacheAll(cache, cities, { rename: { invalidates: (id: string) => [['city', id]] } });
  // @ts-expect-error what writes has no key of its own
  cacheAll(cache, cities, { rename: { invalidates: () => [] } }).rename.key(7, 'Nice');
  // @ts-expect-error no option is called so
  cacheAll(cache, cities, { byId: { ttl: '5m', tll: '5m' } });
}
