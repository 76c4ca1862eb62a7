/** Shows that a schema keeps out of the cache, and out of a reader's hands, what does not fit. */

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { codeOf, counting, forms, inTime, never, record, shelves } from './forms.ts';

const before = v.object({ id: v.number(), name: v.string() });
const after = v.object({ id: v.number(), title: v.string() });
const old = { id: 7, name: 'Nice' };
const fresh = { id: 7, title: 'Nice' };

describe.each(forms)('a schema, %s', (form) => {
  it('lets what fits be cached, as it is', async () => {
    const { cache, open } = shelves(form);
    const value = { ...old, more: [1] };
    expect(await cache.get('k', () => value, { schema: before })).toEqual(value);
    for (const reader of [cache, cache, open(), open({ schema: before })]) {
      expect(await reader.get('k', never, { schema: before })).toEqual(value);
      expect(await reader.get('k', never)).toEqual(value);
    }
    expect(cache.stats()).toMatchObject({ loads: 1, unusable: 0 });
  });

  it('hands a loaded value that does not fit to its caller, and does not store it', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    const load = counting(old);
    for (let round = 1; round <= 3; round += 1) {
      const found = await inTime(clock, cache.lookup('k', load as never, { schema: after }));
      expect(found).toMatchObject({ value: old, status: 'miss', stored: false });
      expect(load.calls).toBe(round);
      expect(await cache.peek('k')).toBeUndefined();
    }
    expect(events.filter((event) => event === 'uncacheable VALUE_INVALID')).toHaveLength(3);
  });

  it('makes a cached value that does not fit a miss, for the call that says so', async () => {
    const { cache, open } = shelves(form);
    // Whoever has read it before has it decoded.
    for (const reader of [cache, open()]) {
      await cache.set('k', old);
      expect(await reader.get('k', never)).toEqual(old);
      expect(await reader.get('k', never)).toEqual(old);
      const events = record(reader);
      expect(await reader.get('k', () => fresh, { schema: after })).toEqual(fresh);
      expect(events).toContain('unusable decoding failed');
      expect(await reader.get('k', never, { schema: after })).toEqual(fresh);
      expect(await open().get('k', never)).toEqual(fresh);
    }
  });

  it('makes a cached value a miss that its check throws on, and throws what it throws on a loaded one', async () => {
    const { cache, open } = shelves(form);
    const titled = v.pipe(
      v.unknown(),
      v.check((value) => (value as typeof fresh).title.length > 0),
    );
    await cache.set('k', old);
    for (const reader of [cache, open()]) {
      expect(await codeOf(reader.get('k', () => old, { schema: titled }))).toMatch(/^TypeError/);
      expect(await reader.get('k', never)).toEqual(old);
    }
    expect(await cache.get('k', () => fresh, { schema: titled })).toEqual(fresh);
    expect(await open().get('k', never, { schema: titled })).toEqual(fresh);
  });

  it('is asked once of a copy that this process keeps, and of no copy that another call decoded', async () => {
    const { cache } = shelves(form);
    let asked = 0;
    const counted = v.pipe(
      before,
      v.check(() => {
        asked += 1;
        return true;
      }),
    );
    await cache.set('k', old);
    for (let round = 0; round < 5; round += 1) await cache.get('k', never);
    expect(asked).toBe(0);
    for (let round = 0; round < 5; round += 1) await cache.get('k', never, { schema: counted });
    expect(asked).toBe(form === 'in memory' ? 1 : 5);
    const city = cache.wrap('city', never, { schema: counted, key: () => 'k' });
    for (let round = 0; round < 5; round += 1) expect(await city()).toEqual(old);
    expect(asked).toBe(form === 'in memory' ? 1 : 10);
  });

  it('of a namespace holds for whatever it reads, also many at once', async () => {
    const { cache, clock, open } = shelves(form);
    const wary = cache.namespace('rows', { schema: after });
    const careless = open().namespace('rows');
    for (const key of [1, 2, 3]) await careless.set(['row', key], key === 2 ? fresh : old);
    for (const key of [1, 2, 3]) expect(await careless.get(['row', key], never)).toBeDefined();
    const same = cache.namespace('rows');
    for (const key of [1, 2, 3]) await same.get(['row', key], never);
    expect(await wary.peek(['row', 1])).toBeUndefined();
    expect(await wary.peek(['row', 2])).toEqual(fresh);
    const asked: number[] = [];
    const read = wary.getMany('row', [1, 2, 3], (ids) => {
      asked.push(...ids);
      return ids.map(() => fresh);
    });
    expect(await inTime(clock, read)).toEqual([fresh, fresh, fresh]);
    expect(asked).toEqual([1, 3]);
    expect(await careless.get(['row', 1], never)).toEqual(fresh);
  });

  it('keeps an old shape from being answered as stale', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '1m', grace: '1h' } as const;
    await cache.get('k', () => old, options);
    await clock.advance(61_000);
    const down = () => Promise.reject(new Error('down'));
    expect(await cache.get('k', down, options)).toEqual(old);
    await clock.advance(2000);
    await expect(cache.get('k', down, { ...options, schema: after })).rejects.toThrow('down');
  });

  it('refuses what is set and does not fit, before anything is sent', async () => {
    const { cache, wire } = shelves(form);
    wire.sent.length = 0;
    expect(await codeOf(cache.set('k', old, { schema: after }))).toBe('VALUE_INVALID');
    expect(wire.sent).toEqual([]);
    expect(await cache.set('k', fresh, { schema: after })).toBe(true);
  });

  it('lets null through only if it fits', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('none', () => null, { schema: after });
    expect(await cache.peek('none')).toBeUndefined();
    await inTime(
      clock,
      cache.get('none', () => null, { schema: v.nullable(after) }),
    );
    expect(await cache.get('none', never, { schema: v.nullable(after) })).toBeNull();
  });

  it('changes nothing in what it lets pass', async () => {
    const { cache } = shelves(form);
    const trimming = v.object({ name: v.optional(v.pipe(v.string(), v.trim()), 'nobody') });
    expect(await cache.get('k', () => ({}), { schema: trimming })).toEqual({});
    expect(await cache.get('k', never, { schema: trimming })).toEqual({});
    expect(await cache.get('l', () => ({ name: ' a ' }), { schema: trimming })).toEqual({ name: ' a ' });
  });

  it('is refused when it is none, or can only be asked asynchronously', async () => {
    const { cache, open } = shelves(form);
    // @ts-expect-error: no schema
    expect(await codeOf(cache.get('k', never, { schema: { parse: () => 1 } }))).toBe('OPTION_INVALID');
    // @ts-expect-error: no schema
    expect(() => open({ schema: 'text' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    const slow = v.pipeAsync(
      v.string(),
      v.checkAsync(() => Promise.resolve(true)),
    );
    expect(await codeOf(cache.get('k', () => 'v', { schema: slow }))).toBe('OPTION_INVALID');
    expect(await cache.get('k', () => 'v')).toBe('v');
  });
});

it('holds for copies of a local tier, too', async () => {
  const { clock, open } = shelves();
  const cache = open({ local: true });
  await cache.get('k', () => old);
  await clock.advance(500);
  await cache.get('k', never);
  await cache.get('k', never);
  expect(cache.stats().localHits).toBeGreaterThan(0);
  expect(await cache.get('k', () => fresh, { schema: after })).toEqual(fresh);
  const localHits = () => cache.stats().localHits;
  await clock.advance(100);
  const earlier = localHits();
  expect(await cache.get('k', never, { schema: after })).toEqual(fresh);
  expect(await cache.lookup('k', never, { schema: after })).toMatchObject({ value: fresh });
  expect(localHits()).toBe(earlier + 2);
});
