/** Wrapped functions: their keys, their rules, and that a warm call never answers for another. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { CachedRule, KeyPart } from 'hotshelf';
import { codeOf, counting, forms, gate, never, shelves } from './forms.ts';

const city = async (id: number) => ({ id });

describe.each(forms)('a wrapped function, %s', (form) => {
  it('is called once for the same arguments, and again after they were invalidated', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    const cityOf = cache.wrap('city', async (id: number) => ({ id, load: (loads += 1) }));
    expect([await cityOf(7), await cityOf(7), await cityOf(7)]).toMatchObject([
      { load: 1 },
      { id: 7, load: 1 },
      { load: 1 },
    ]);
    await cityOf.invalidate(8);
    expect(await cityOf(7)).toEqual({ id: 7, load: 1 });
    await cityOf.invalidate(7);
    expect(await cityOf(7)).toEqual({ id: 7, load: 2 });
  });

  it('shares one call among those who come at the same time', async () => {
    const { cache } = shelves(form);
    const held = gate<number>();
    let loads = 0;
    const slow = cache.wrap('slow', (_id: number) => {
      loads += 1;
      return held.passed;
    });
    const answers = [slow(1), slow(1), slow(1)];
    held.open(5);
    expect(await Promise.all(answers)).toEqual([5, 5, 5]);
    expect(loads).toBe(1);
  });

  it('never answers for other arguments, warm or cold', async () => {
    const { cache } = shelves(form);
    const text = (args: readonly unknown[]) =>
      args.map(
        (arg) => `${typeof arg} ${JSON.stringify(arg, (_, part: unknown) => (part === undefined ? '?' : part))}`,
      );
    const told = cache.wrap('told', async (...args: readonly KeyPart[]) => text(args));
    const arg = fc.oneof(
      fc.constantFrom<KeyPart>(
        0,
        1,
        '0',
        '1',
        '',
        'a',
        null,
        true,
        'true',
        [],
        ['a'],
        {},
        { a: 1 },
        { a: '1' },
        [[]],
        'null',
      ),
      fc.constantFrom<KeyPart>('told', '#0', '@', ':', 'a:b', '[:a]', '<:a=#1>'),
    );
    const calls = fc.array(fc.array(arg, { maxLength: 3 }), { minLength: 10, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(calls, async (lists) => {
        for (const args of [...lists, ...lists, ...lists]) expect(await told(...args)).toEqual(text(args));
      }),
      { numRuns: 30 },
    );
  });

  it('takes arguments that were left out for those that are undefined at the end, and for no others', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    const load = cache.wrap('load', async (_id?: number, _language?: string) => (loads += 1));
    for (let round = 0; round < 3; round += 1) {
      expect([await load(), await load(undefined), await load(undefined, undefined)]).toEqual([1, 1, 1]);
      expect([await load(7), await load(7, undefined)]).toEqual([2, 2]);
      expect(await load(undefined, 'en')).toBe(3);
    }
    expect(load.key(7, undefined)).toEqual(['load', 7]);
    await load.invalidate(7);
    expect(await load(7, undefined)).toBe(4);
  });

  it('asks `when` before anything, also before a warm answer', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    let open = true;
    const load = cache.wrap('load', async (_id: number) => (loads += 1), { when: (id) => open && id > 0 });
    expect([await load(1), await load(1), await load(1)]).toEqual([1, 1, 1]);
    open = false;
    expect([await load(1), await load(1)]).toEqual([2, 3]);
    open = true;
    expect([await load(1), await load(-1), await load(-1)]).toEqual([1, 4, 5]);
  });

  it('hands out without storing what `unless` names', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    const load = cache.wrap('load', async (id: number) => ({ id, load: (loads += 1) }), {
      unless: (value, id) => value.id === id && value.load === 1,
    });
    expect((await load(7)).load).toBe(1);
    expect([(await load(7)).load, (await load(7)).load]).toEqual([2, 2]);
  });

  it('gives the value and the arguments to a `ttl`', async () => {
    const { cache, clock } = shelves(form);
    let loads = 0;
    const load = cache.wrap('load', async (_id: number) => (loads += 1), {
      jitter: 0,
      ttl: (value, id) => (id === 7 && value === 1 ? '10s' : '1h'),
    });
    expect([await load(7), await load(8)]).toEqual([1, 2]);
    await clock.advance(11_000);
    expect([await load(7), await load(8)]).toEqual([3, 2]);
    await clock.advance(11_000);
    expect([await load(7), await load(8)]).toEqual([3, 2]);
  });

  it('gives the value and the arguments to `tags`', async () => {
    const { cache } = shelves(form);
    let loads = 0;
    const load = cache.wrap('load', async (id: number) => ({ country: id < 10 ? 'fr' : 'it', load: (loads += 1) }), {
      tags: (value, id) => [
        ['country', value.country],
        ['city', id],
      ],
    });
    const all = async () => [(await load(7)).load, (await load(8)).load, (await load(11)).load];
    expect(await all()).toEqual([1, 2, 3]);
    await cache.invalidateTags([['country', 'it']]);
    expect(await all()).toEqual([1, 2, 4]);
    await cache.invalidateTags([['city', 7]]);
    expect(await all()).toEqual([5, 2, 4]);
  });

  it('keeps `this` for the function and for every function of its rule', async () => {
    const { cache } = shelves(form);
    const seen: string[] = [];
    function note(this: unknown, what: string) {
      seen.push(`${what} of ${(this as { tenant: string }).tenant}`);
    }
    const rule: CachedRule<[id: number], string> = {
      key(id) {
        note.call(this, 'key');
        return [(this as { tenant: string }).tenant, id];
      },
      when() {
        note.call(this, 'when');
        return true;
      },
      unless() {
        note.call(this, 'unless');
        return false;
      },
      ttl() {
        note.call(this, 'ttl');
        return '1m';
      },
      tags() {
        note.call(this, 'tags');
        return [];
      },
    };
    async function load(this: unknown, id: number) {
      note.call(this, 'load');
      return `${(this as { tenant: string }).tenant} ${id}`;
    }
    const method = cache.wrap('load', load, rule);
    const a = { tenant: 'a', method };
    const b = { tenant: 'b', method };
    expect([await a.method(1), await b.method(1), await a.method(1)]).toEqual(['a 1', 'b 1', 'a 1']);
    for (const what of ['key', 'when', 'load', 'unless', 'ttl', 'tags']) {
      expect(seen).toContain(`${what} of a`);
      expect(seen).toContain(`${what} of b`);
    }
  });

  it('answers anew after `clear`, a `set` of its key and a closed cache', async () => {
    const { cache, clock } = shelves(form);
    const load = counting(1);
    const wrapped = cache.wrap('load', (_id: number) => load());
    for (let round = 0; round < 3; round += 1) await wrapped(7);
    const cleared = cache.clear();
    await clock.advance(200);
    await cleared;
    await wrapped(7);
    expect(load.calls).toBe(2);
    await wrapped(7);
    await cache.set(wrapped.key(7), 5);
    expect([await wrapped(7), await wrapped(7)]).toEqual([5, 5]);
    await cache.close();
    expect(await wrapped(7)).toBe(1);
    expect(load.calls).toBe(3);
  });

  it('asks past what is kept here where it is told to', async () => {
    const { cache, wire } = shelves(form);
    const wrapped = cache.wrap('city', city, { fresh: true });
    for (let round = 0; round < 3; round += 1) await wrapped(7);
    const before = wire.sent.length;
    expect(await wrapped(7)).toEqual({ id: 7 });
    if (form === 'over a network') expect(wire.sent.length).toBeGreaterThan(before);
  });
});

describe('a wrapped function', () => {
  it('has the name and the length of the other, and works without a rule', async () => {
    const { cache } = shelves();
    const wrapped = cache.wrap('city', city);
    expect([wrapped.name, wrapped.length]).toEqual(['city', 1]);
    expect(wrapped.key(7)).toEqual(['city', 7]);
    expect(await wrapped(7)).toEqual({ id: 7 });
  });

  it('is a promise also for a function that is not', async () => {
    const { cache } = shelves();
    const wrapped = cache.wrap('double', (id: number) => id * 2, { when: (id) => id > 0 });
    expect(wrapped(7)).toBeInstanceOf(Promise);
    expect(wrapped(-7)).toBeInstanceOf(Promise);
    expect([await wrapped(7), await wrapped(-7)]).toEqual([14, -14]);
  });

  it('rejects, and never throws, when a function of the rule or an argument is bad', async () => {
    const { cache } = shelves();
    const bad = cache.wrap('bad', city, { key: never });
    expect(await codeOf(bad(7))).toMatch('this must not be called');
    expect(await codeOf(bad.invalidate(7))).toMatch('this must not be called');
    expect(await codeOf(cache.wrap('when', city, { when: never })(7))).toMatch('this must not be called');
    expect(await codeOf(cache.wrap('unless', city, { unless: never })(7))).toMatch('this must not be called');
    const odd = cache.wrap('odd', async (_value: unknown) => 1);
    expect(await codeOf(odd(new Map()))).toBe('KEY_INVALID');
    expect(await codeOf(odd(Number.NaN))).toBe('KEY_INVALID');
  });

  it('throws what the other throws', async () => {
    const { cache } = shelves();
    const wrapped = cache.wrap('city', async (_id: number) => {
      throw new RangeError('no city');
    });
    await expect(wrapped(7)).rejects.toThrow(RangeError);
  });

  it('is refused with a wrong rule when it is made', () => {
    const { cache } = shelves();
    const wrap = (rule: unknown) => () => cache.wrap('city', city, rule as object);
    for (const rule of [
      { ttl: -1 },
      { tll: '5m' },
      { key: ['city'] },
      { when: true },
      { unless: null },
      { wait: 'x' },
    ]) {
      expect(wrap(rule)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    expect(wrap({ tll: '5m' })).toThrow('Did you mean `ttl`?');
    expect(wrap({ unles: never })).toThrow('wrap() has no option `unles`. Did you mean `unless`?');
    expect(() => cache.wrap('', city)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(() => cache.wrap('city', 7 as unknown as typeof city)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it('remembers no more keys than it may, and all of them right', async () => {
    const { cache } = shelves('in memory');
    const wrapped = cache.wrap('city', city);
    for (let round = 0; round < 2; round += 1) {
      for (let id = 0; id < 5000; id += 1) expect((await wrapped(id)).id).toBe(id);
    }
  });
});

/** Only compiled. */
export function types(): void {
  const { cache } = shelves();
  cache.wrap('city', city, { key: (id) => ['city', id + 1], unless: (value) => value.id === 0 });
  // @ts-expect-error the key is made of another type
  cache.wrap('city', city, { key: (id: string) => ['city', id] });
  // @ts-expect-error the value is another one
  cache.wrap('city', city, { unless: (value: string) => value === '' });
  // @ts-expect-error no option is called so
  cache.wrap('city', city, { tll: '5m' });
  // @ts-expect-error another argument
  void cache.wrap('city', city)('7');
  // @ts-expect-error another argument
  void cache.wrap('city', city).invalidate('7');
}
