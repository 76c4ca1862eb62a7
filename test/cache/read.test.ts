/** Shows what a read returns, loads, stores, counts and tells. */

import { describe, expect, it, vi } from 'vitest';
import { HotshelfError, jsonCodec, type Codec } from 'hotshelf';
import { codeOf, counting, forms, gate, never, record, shelves } from './forms.ts';

describe.each(forms)('a read, %s', (form) => {
  it('loads once and then answers from the entry', async () => {
    const { cache, open } = shelves(form);
    const load = counting({ name: 'Nice' });
    expect(await cache.get('city', load)).toEqual({ name: 'Nice' });
    expect(await cache.get('city', load)).toEqual({ name: 'Nice' });
    expect(await cache.get('city', load)).toEqual({ name: 'Nice' });
    expect(await open().get('city', load)).toEqual({ name: 'Nice' });
    expect(load.calls).toBe(1);
  });

  it('loads again once the ttl is over, and not before', async () => {
    const { cache, clock } = shelves(form);
    const load = counting(1);
    await cache.get('k', load, { ttl: '10s' });
    await clock.advance(9_900);
    await cache.get('k', load);
    expect(load.calls).toBe(1);
    await clock.advance(101);
    await cache.get('k', load);
    expect(load.calls).toBe(2);
  });

  it('keeps an entry for a minute when nobody says how long', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 1);
    await clock.advance(59_900);
    expect(await cache.peek('k')).toBe(1);
    await clock.advance(101);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it.each([
    ['30 s by default', {}, {}, 30_000],
    ['the ttl if that is shorter', { ttl: '10s' }, {}, 10_000],
    ['its own ttl', { ttl: '1h', negativeTtl: '5s' }, {}, 5000],
    ['its own ttl, also if it is longer', { ttl: '1s' }, { negativeTtl: '2m' }, 120_000],
  ] as const)('caches null, for %s', async (_, ofCache, ofCall, ms) => {
    const { clock, open } = shelves(form);
    const cache = open(ofCache);
    const load = counting(null);
    expect(await cache.get('k', load, ofCall)).toBeNull();
    await clock.advance(ms - 100);
    expect(await cache.get('k', load, ofCall)).toBeNull();
    expect(load.calls).toBe(1);
    await clock.advance(101);
    expect(await cache.get('k', load, ofCall)).toBeNull();
    expect(load.calls).toBe(2);
  });

  it('gives its lease back with one command when the loader returns undefined', async () => {
    const { cache, clock, wire } = shelves('over a network');
    await cache.get('k', () => undefined);
    await clock.advance(0);
    expect(wire.sent.filter((command) => command.startsWith('deleteIf'))).toEqual(['deleteIf hs=k']);
  });

  it('caches nothing when the loader returns undefined, and makes nobody wait', async () => {
    const { cache, open } = shelves(form);
    const load = counting(undefined);
    expect(await cache.get('k', load)).toBeUndefined();
    expect(await cache.get('k', load)).toBeUndefined();
    expect(await open().get('k', load)).toBeUndefined();
    expect(load.calls).toBe(3);
    expect(cache.stats().fills).toBe(0);
  });

  it.each([new TypeError('no such table'), 'a text', undefined, null, { code: 7 }])(
    'throws what the loader throws, unchanged, and frees the key at once: %s',
    async (thrown) => {
      const { cache, open } = shelves(form);
      const caught: unknown[] = [];
      const note = (error: unknown) => void caught.push(error);
      const fail = () => {
        throw thrown;
      };
      await cache.get('k', fail).catch(note);
      await cache.get('k', () => Promise.reject(thrown)).catch(note);
      expect(caught).toHaveLength(2);
      expect(caught[0]).toBe(thrown);
      expect(caught[1]).toBe(thrown);
      expect(await open().get('k', () => 'fine')).toBe('fine');
      expect(cache.stats().failedLoads).toBe(2);
    },
  );

  it('lets callers that arrive during a load share it', async () => {
    const { cache, clock } = shelves(form);
    const { passed, open } = gate<string>();
    let calls = 0;
    const load = () => {
      calls += 1;
      return passed;
    };
    const early = Array.from({ length: 50 }, () => cache.get('k', load));
    await clock.advance(0);
    const late = Array.from({ length: 50 }, () => cache.get('k', load));
    await clock.advance(0);
    open('value');
    expect(new Set(await Promise.all([...early, ...late]))).toEqual(new Set(['value']));
    expect(calls).toBe(1);
    expect(cache.stats()).toMatchObject({ misses: 1, collapsed: 99, loads: 1, hits: 0 });
  });

  it('gives callers that share a load its error', async () => {
    const { cache, clock } = shelves(form);
    const { passed, fail } = gate<string>();
    const reads = Array.from({ length: 3 }, () => cache.get('k', () => passed));
    const outcomes = Promise.allSettled(reads);
    await clock.advance(0);
    const error = new Error('down');
    fail(error);
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error });
  });

  it('loads different keys at the same time', async () => {
    const { cache, clock } = shelves(form);
    const gates = ['a', 'b', 'c'].map((key) => ({ key, ...gate<string>() }));
    const reads = gates.map(({ key, passed }) => cache.get(key, () => passed));
    await clock.advance(0);
    for (const { key, open } of gates.toReversed()) open(key);
    expect(await Promise.all(reads)).toEqual(['a', 'b', 'c']);
  });

  it('tells by lookup where a value came from', async () => {
    const { cache, clock } = shelves(form);
    const first = cache.lookup('k', async () => 'v', { ttl: '10s' });
    const second = cache.lookup('k', never);
    expect(await first).toEqual({ value: 'v', status: 'miss', stored: true, ageMs: 0, ttlMs: 10_000 });
    expect(await second).toMatchObject({ value: 'v', status: 'collapsed', stored: false });
    await clock.advance(4000);
    expect(await cache.lookup('k', never)).toEqual({
      value: 'v',
      status: 'hit',
      stored: false,
      ageMs: 4000,
      ttlMs: 6000,
    });
    expect(await cache.lookup('none', () => undefined)).toEqual({
      value: undefined,
      status: 'miss',
      stored: false,
      ageMs: 0,
      ttlMs: 0,
    });
  });

  it('peeks without loading', async () => {
    const { cache } = shelves(form);
    expect(await cache.peek('k')).toBeUndefined();
    await cache.get('k', () => 'v');
    expect(await cache.peek('k')).toBe('v');
    expect(await cache.peek('k')).toBe('v');
    expect(cache.stats()).toMatchObject({ loads: 1 });
  });

  it('tells the loader which key it loads', async () => {
    const { cache } = shelves(form);
    expect(await cache.namespace('geo').get(['city', 7], ({ key }) => key)).toBe('hs/geo:city:#7');
  });

  it('refuses a value that cannot be encoded, stores nothing and frees the key', async () => {
    const { cache } = shelves(form);
    expect(await codeOf(cache.get('k', () => ({ fn: never })))).toBe('VALUE_INVALID');
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'fine')).toBe('fine');
  });

  it('hands out a value that is too large, does not store it, says so and frees the key', async () => {
    const { open } = shelves(form);
    const cache = open({ maxValueBytes: 200 });
    const events = record(cache);
    const large = 'x'.repeat(200);
    expect(await cache.lookup('k', () => large)).toMatchObject({ value: large, status: 'miss', stored: false });
    expect(await cache.get('k', () => large)).toBe(large);
    expect(events.filter((event) => event === 'uncacheable VALUE_TOO_LARGE')).toHaveLength(2);
    expect(await cache.get('k', () => 'small')).toBe('small');
    expect(await cache.peek('k')).toBe('small');
  });

  it('refuses a loader that is no function', async () => {
    const { cache } = shelves(form);
    // @ts-expect-error: a value in the place of the loader
    expect(await codeOf(cache.get('k', 5))).toBe('OPTION_INVALID');
    // @ts-expect-error: nothing in the place of the loader
    expect(await codeOf(cache.lookup('k'))).toBe('OPTION_INVALID');
  });

  it('rejects, and does not throw, on a bad key', async () => {
    const { cache } = shelves(form);
    const calls = [
      cache.get([], never),
      cache.lookup([], never),
      cache.peek([]),
      cache.set([], 1),
      cache.delete([]),
      cache.invalidate('a', []),
      cache.mutate([[]], never),
    ];
    expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'KEY_INVALID'));
  });

  it('tells what happens', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    await cache.get('k', () => 1);
    await cache.get('k', never);
    await cache.get('k', never);
    await codeOf(cache.get('other', never));
    await clock.advance(0);
    expect(events).toEqual(['miss', 'load', 'hit', 'hit', 'miss', 'load failed']);
  });

  it('counts the bytes of a value alike when it is sent and when it is read', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'x'.repeat(98));
    await cache.set('l', 'x'.repeat(98));
    await clock.advance(0);
    const other = open();
    await other.get('k', never);
    expect([cache.stats().bytesWritten, other.stats().bytesRead]).toEqual([200, 100]);
  });

  it('goes on when a listener throws, and stops telling those who left', async () => {
    const { cache } = shelves(form);
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const events: string[] = [];
    const leave = cache.on(() => {
      throw new Error('mine');
    });
    cache.on((event) => events.push(event.type));
    expect(await cache.get('k', () => 1)).toBe(1);
    leave();
    leave();
    expect(await cache.get('k', never)).toBe(1);
    expect(events).toEqual(['miss', 'load', 'hit']);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
    // @ts-expect-error: a name in the place of the listener
    expect(() => cache.on('miss')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('counts what it does', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('a', () => 1);
    await Promise.all(['a', 'a', 'a'].map((key) => cache.get(key, never)));
    await codeOf(cache.get('b', never));
    await clock.advance(0);
    expect(cache.stats()).toMatchObject({
      hits: 3,
      misses: 2,
      collapsed: 0,
      bypasses: 0,
      loads: 2,
      failedLoads: 1,
      fills: 1,
      refusedFills: 0,
      unusable: 0,
      unconfirmed: 0,
      hitRatio: 3 / 5,
    });
  });

  it.each([
    ['bytes of somebody else', 'foreign', () => Buffer.from('hello')],
    ['no bytes', 'foreign', () => Buffer.alloc(0)],
    ['an entry that was cut off', 'corrupt', (bytes: Buffer) => bytes.subarray(0, -1)],
    [
      'an entry with a changed byte',
      'corrupt',
      (bytes: Buffer) => bytes.map((byte, at) => (at === 70 ? byte ^ 1 : byte)),
    ],
  ])('loads again instead of using %s', async (_, reason, change) => {
    const { cache, backend } = shelves(form);
    await cache.get('k', () => 'a long enough value');
    const stored = await backend.values.get('hs=k');
    await backend.values.set('hs=k', change(Buffer.from(stored?.bytes ?? [])), 60_000);
    const events = record(cache);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'again')).toBe('again');
    expect(events.slice(0, 2)).toEqual([`unusable ${reason}`, `unusable ${reason}`]);
    expect(cache.stats().unusable).toBe(2);
    expect(await cache.peek('k')).toBe('again');
  });

  it('does not use the entry of another key', async () => {
    const { cache, backend } = shelves(form);
    await cache.get('mine', () => 'secret');
    const stored = await backend.values.get('hs=mine');
    await backend.values.set('hs=yours', stored?.bytes ?? Buffer.alloc(0), 60_000);
    expect(await cache.get('yours', () => 'public')).toBe('public');
    expect(cache.stats().unusable).toBe(1);
  });

  it('does not use the entries of another codec', async () => {
    const { cache, open } = shelves(form);
    const other: Codec = { ...jsonCodec, id: 200 };
    await cache.get('k', () => 'by json');
    expect(await open({ codec: other }).get('k', () => 'by other')).toBe('by other');
    expect(await open().get('k', () => 'by json again')).toBe('by json again');
  });

  it('takes a payload that its codec cannot read for a miss', async () => {
    const { open } = shelves(form);
    const moody: Codec = {
      ...jsonCodec,
      id: 201,
      decode: () => {
        throw new Error('I cannot');
      },
    };
    const cache = open({ codec: moody });
    const load = counting('v');
    expect(await cache.get('k', load)).toBe('v');
    expect(await cache.get('k', load)).toBe('v');
    expect(load.calls).toBe(2);
    expect(cache.stats().unusable).toBe(1);
  });

  it('takes an entry whose writer has another time for what it is', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'v', { ttl: '1m' });
    clock.jump(-3_600_000);
    expect(await cache.lookup('k', never)).toMatchObject({ status: 'hit', ageMs: 0, ttlMs: 60_000 });
    clock.jump(3_600_000 + 30_000);
    expect(await cache.lookup('k', never)).toMatchObject({ status: 'hit', ageMs: 30_000, ttlMs: 30_000 });
  });
});

describe('a read in memory', () => {
  it('hands the same frozen object to every reader', async () => {
    const { cache } = shelves('in memory');
    await cache.get('k', () => ({ list: [{ deep: 1 }] }));
    const [first, second] = [await cache.get('k', never), await cache.get('k', never)];
    expect(second).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    expect(Object.isFrozen((first as { list: object[] }).list)).toBe(true);
    expect(Object.isFrozen((first as { list: object[] }).list[0])).toBe(true);
  });

  it('gives every reader of a value with richer parts its own', async () => {
    const { cache } = shelves('in memory');
    await cache.get('k', () => ({ seen: new Set([1]) }));
    const first = await cache.get<{ seen: Set<number> }>('k', never);
    first.seen.add(2);
    expect(await cache.get('k', never)).toEqual({ seen: new Set([1]) });
  });

  it('stores what the loader returned, whatever its caller does with it later', async () => {
    const { cache } = shelves('in memory');
    const mine = { n: 1 };
    const got = await cache.get('k', () => mine);
    got.n = 2;
    expect(await cache.get('k', never)).toEqual({ n: 1 });
  });

  // The decoded value is kept beside the bytes that it came from, never beside bytes that came after.
  it.each(Array.from({ length: 24 }, (_, turns) => turns))(
    'never keeps an old value with a newer entry that is written %i turns into the read',
    async (turns) => {
      const { cache, open } = shelves('in memory');
      await cache.set('k', 'old');
      const read = cache.get('k', never);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await open().set('k', 'new');
      await read;
      expect(await cache.get('k', never)).toBe('new');
      expect(await cache.get('k', never)).toBe('new');
    },
  );
});

describe('a hit over a network', () => {
  it('takes one trip', async () => {
    const { cache, wire } = shelves();
    await cache.get('k', () => 1);
    wire.sent.length = 0;
    await cache.get('k', never);
    expect(wire.sent).toEqual([expect.stringMatching(/^get hs=k\b/)]);
  });

  it('gives every reader its own value', async () => {
    const { cache } = shelves();
    await cache.get('k', () => ({ n: 1 }));
    const first = await cache.get<{ n: number }>('k', never);
    first.n = 2;
    expect(await cache.get('k', never)).toEqual({ n: 1 });
  });

  it('comes after three trips at most: a miss is a read, a lease and a fill', async () => {
    const { cache, wire } = shelves();
    await cache.get('first', () => 1);
    wire.sent.length = 0;
    await cache.get('k', () => 1);
    expect(wire.sent).toEqual([expect.stringMatching(/^get hs=k\b/), 'add hs=k', 'cas hs=k']);
  });
});

describe('a read of a backend that fails', () => {
  it.each(['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED', 'CLOSED'] as const)(
    'loads around %s',
    async (code) => {
      const { cache, wire } = shelves();
      const events = record(cache);
      wire.before = () => {
        throw new HotshelfError(code, 'The test wants it so.');
      };
      expect(await cache.lookup('k', () => 'v')).toMatchObject({
        value: 'v',
        status: 'bypass',
        stored: false,
        ttlMs: 0,
      });
      expect(await cache.peek('k')).toBeUndefined();
      expect(events).toEqual(['bypass backend', 'load']);
      expect(cache.stats()).toMatchObject({ bypasses: 1, loads: 1, misses: 0, unconfirmed: 0 });
    },
  );

  it('throws the loader error of a load around it', async () => {
    const { cache, wire } = shelves();
    wire.before = () => {
      throw new HotshelfError('BACKEND_DOWN', 'The test wants it so.');
    };
    const error = new Error('mine');
    await expect(cache.get('k', () => Promise.reject(error))).rejects.toBe(error);
  });

  it.each(['add', 'cas'])('loads when %s fails, and stores nothing', async (failingVerb) => {
    const { cache, wire, clock } = shelves();
    await cache.get('first', () => 1);
    wire.before = (verb) => {
      if (verb === failingVerb) throw new HotshelfError('BACKEND_REFUSED', 'OOM');
    };
    expect(await cache.get('k', () => 'v')).toBe('v');
    await clock.advance(0);
    wire.before = () => {};
    expect(await cache.get('k', () => 'next')).toBe('next');
    expect(await cache.peek('k')).toBe('next');
  });
});
