/** Shows how long an entry is fresh: by `ttl`, a number or a function, `negativeTtl`, and `jitter` that takes a share away. */

import { describe, expect, it } from 'vitest';
import type { Duration } from 'hotshelf';
import { codeOf, forms, never, record, shelves } from './forms.ts';

describe.each(forms)('a ttl that is a function, %s', (form) => {
  it('is asked with the value that was loaded, and with the one that is set', async () => {
    const { cache, clock, open } = shelves(form);
    const ttl = (value: { seconds: number }) => value.seconds * 1000;
    expect(await cache.lookup('k', () => ({ seconds: 3 }), { ttl })).toMatchObject({ ttlMs: 3000 });
    await clock.advance(0);
    expect(await open().lookup('k', never)).toMatchObject({ status: 'hit', ttlMs: 3000 });
    await cache.set('k', { seconds: 7 }, { ttl });
    expect(await open().lookup('k', never)).toMatchObject({ status: 'hit', ttlMs: 7000 });
  });

  it('may answer with text, and is asked again with each load', async () => {
    const { cache, clock } = shelves(form);
    let n = 0;
    const load = (): number => (n += 1);
    const ttl = (value: number) => `${value}s` as const;
    expect(await cache.lookup('k', load, { ttl })).toMatchObject({ ttlMs: 1000 });
    await clock.advance(1001);
    expect(await cache.lookup('k', load, { ttl })).toMatchObject({ ttlMs: 2000 });
  });

  it('counts for null only as far as negativeTtl lets it', async () => {
    const { cache } = shelves(form);
    expect(await cache.lookup('a', () => null, { ttl: () => '10s' })).toMatchObject({ ttlMs: 10_000 });
    expect(await cache.lookup('b', () => null, { ttl: () => '10m' })).toMatchObject({ ttlMs: 30_000 });
    expect(await cache.lookup('c', () => null, { ttl: never, negativeTtl: '5s' })).toMatchObject({ ttlMs: 5000 });
  });

  it.each([
    ['answers with 0', (): Duration => 0, 'OPTION_INVALID'],
    ['answers with nonsense', (): Duration => '5 parsecs' as '5s', 'OPTION_INVALID'],
    [
      'throws',
      (): Duration => {
        throw new Error('no idea');
      },
      'Error: no idea',
    ],
  ] as const)('that %s fails the read, stores nothing and frees the key', async (_, ttl, code) => {
    const { cache, open } = shelves(form);
    expect(await codeOf(cache.get('k', () => 1, { ttl }))).toBe(code);
    expect(await codeOf(cache.set('l', 1, { ttl }))).toBe(code);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await open().get('k', () => 2)).toBe(2);
    expect(await open().get('l', () => 2)).toBe(2);
  });

  it('that fails behind readers leaves them the stale entry', async () => {
    const { cache, clock } = shelves(form);
    const options = { grace: '1m', swr: true } as const;
    await cache.get('k', () => 'old', { ...options, ttl: '1s' });
    await clock.advance(2000);
    expect(await cache.get('k', () => 'new', { ...options, ttl: () => 0 })).toBe('old');
    await clock.advance(0);
    expect(await cache.lookup('k', never, options)).toMatchObject({ value: 'old', reason: 'load failed' });
  });
});

describe.each(forms)('jitter, %s', (form) => {
  const many = Array.from({ length: 400 }, (_, index) => ['k', index] as const);

  it.each([
    ['a twentieth by default', undefined, 0.05],
    ['what is asked for', 0.5, 0.5],
    ['nothing', 0, 0],
  ])('takes %s away at most, and spreads it', async (_, jitter, most) => {
    const cache = shelves(form).open({ jitter });
    const found: number[] = [];
    for (const key of many) found.push((await cache.lookup(key, () => 1, { ttl: '100s' })).ttlMs);
    for (const ttlMs of found) {
      expect(Number.isInteger(ttlMs)).toBe(true);
      expect(ttlMs).toBeLessThanOrEqual(100_000);
      expect(ttlMs).toBeGreaterThanOrEqual(100_000 * (1 - most));
    }
    const mean = found.reduce((sum, ms) => sum + ms, 0) / found.length;
    // The mean of 400 even draws lies within a fifth of their width of the middle, by far.
    expect(Math.abs(mean - 100_000 * (1 - most / 2))).toBeLessThanOrEqual(100_000 * most * 0.1);
    expect(new Set(found).size).toBeGreaterThan(most === 0 ? 0 : 300);
  });

  it('is for set and for null too, and may be said for one call', async () => {
    const { cache, clock, open } = shelves(form);
    const lengths = { set: new Set<number>(), null: new Set<number>() };
    for (const key of many.slice(0, 50)) {
      await cache.set(key, 1, { ttl: '100s', jitter: 0.5 });
      lengths.set.add((await open().lookup(key, never)).ttlMs);
      await cache.delete(key);
      lengths.null.add((await cache.lookup(key, () => null, { jitter: 0.5 })).ttlMs);
    }
    await clock.advance(0);
    expect(lengths.set.size).toBeGreaterThan(40);
    expect(lengths.null.size).toBeGreaterThan(40);
    for (const ms of lengths.null) expect(ms).toBeGreaterThanOrEqual(15_000);
  });

  it('never takes all of a short life', async () => {
    const { open } = shelves(form);
    const cache = open({ jitter: 0.5 });
    for (const key of many.slice(0, 50)) expect((await cache.lookup(key, () => 1, { ttl: 1 })).ttlMs).toBe(1);
  });

  it('makes a grace no shorter', async () => {
    const { clock, open } = shelves(form);
    const cache = open({ jitter: 0.5 });
    const options = { ttl: '10s', grace: '1m' } as const;
    const { ttlMs } = await cache.lookup('k', () => 'old', options);
    expect(ttlMs).toBeLessThan(10_000);
    await clock.advance(ttlMs + 59_990);
    expect(await cache.get('k', () => Promise.reject(new Error('down')), options)).toBe('old');
    await clock.advance(11);
    expect(await codeOf(cache.get('k', () => Promise.reject(new Error('down')), options))).toBe('Error: down');
  });
});

describe.each(forms)('what a lookup says of time, %s', (form) => {
  it('is true at every step of an entry’s life', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '10s', grace: '10s' } as const;
    const events = record(cache);
    const look = () => cache.lookup('k', () => Promise.reject(new Error('down')), options);
    expect(await cache.lookup('k', () => 'v', options)).toEqual({
      value: 'v',
      status: 'miss',
      stored: true,
      ageMs: 0,
      ttlMs: 10_000,
    });
    await clock.advance(9999);
    expect(await look()).toEqual({ value: 'v', status: 'hit', stored: false, ageMs: 9999, ttlMs: 1 });
    await clock.advance(1);
    const reason = 'load failed';
    expect(await look()).toEqual({ value: 'v', status: 'stale', reason, stored: false, ageMs: 10_000, ttlMs: 0 });
    await clock.advance(9999);
    expect(await look()).toEqual({ value: 'v', status: 'stale', reason, stored: false, ageMs: 19_999, ttlMs: -9999 });
    await clock.advance(1);
    expect(await codeOf(look())).toBe('Error: down');
    const loads = events.filter((event) => event.startsWith('load'));
    expect(loads).toEqual(['load', 'load failed', 'load failed', 'load failed']);
  });
});
