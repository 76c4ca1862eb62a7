/** Shows what set, invalidate, delete and clear leave behind, and what is refused before anything is written. */

import { describe, expect, it } from 'vitest';
import { chaos, fakeClock } from 'hotshelf/testing';
import { createCache, jsonCodec } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { codeOf, counting, forms, gate, inTime, never, shelves } from './forms.ts';

describe.each(forms)('set, %s', (form) => {
  it('stores a value for everybody, until its ttl is over', async () => {
    const { cache, clock, open } = shelves(form);
    expect(await cache.set('k', { n: 1 }, { ttl: '5s' })).toBe(true);
    expect(await open().get('k', never)).toEqual({ n: 1 });
    await clock.advance(5001);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('stores null with its own ttl', async () => {
    const { cache, clock } = shelves(form);
    await cache.set('k', null);
    expect(await cache.peek('k')).toBeNull();
    await clock.advance(30_001);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('does not let a load in flight be stored', async () => {
    const { cache, clock } = shelves(form);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await clock.advance(0);
    await cache.set('k', 'set');
    slow.open('loaded');
    await read;
    await clock.advance(0);
    expect(await cache.get('k', never)).toBe('set');
  });

  it('keeps an entry that has a larger version', async () => {
    const { cache } = shelves(form);
    expect(await cache.set('k', 'two', { version: 2 })).toBe(true);
    expect(await cache.set('k', 'one', { version: 1 })).toBe(false);
    expect(await cache.get('k', never)).toBe('two');
    expect(await cache.set('k', 'two again', { version: 2 })).toBe(true);
    expect(await cache.set('k', 'three', { version: 3 })).toBe(true);
    expect(await cache.get('k', never)).toBe('three');
    expect(await cache.set('k', 'below zero', { version: -1 })).toBe(false);
  });

  it('with a version replaces what has none, and a load in flight', async () => {
    const { cache, clock } = shelves(form);
    await cache.set('k', 'plain');
    expect(await cache.set('k', 'zero', { version: 0 })).toBe(true);
    const slow = gate<string>();
    const read = cache.get('l', () => slow.passed);
    await clock.advance(0);
    expect(await cache.set('l', 'one', { version: 1 })).toBe(true);
    slow.open('loaded');
    await read;
    await clock.advance(0);
    expect([await cache.get('k', never), await cache.get('l', never)]).toEqual(['zero', 'one']);
  });

  it('with a version replaces a larger one that a clear or its ttl made worthless', async () => {
    const { cache, clock } = shelves(form);
    await cache.set('k', 'nine', { version: 9, ttl: '1s' });
    await inTime(clock, cache.clear());
    expect(await cache.set('k', 'one', { version: 1, ttl: '1s' })).toBe(true);
    await clock.advance(1001);
    expect(await cache.set('k', 'zero', { version: 0 })).toBe(true);
  });

  it('sends nothing when the value, its size or an option is refused', async () => {
    const { wire, open } = shelves(form);
    const cache = open({ maxValueBytes: 100 });
    const refused = [
      cache.set('k', () => 1),
      cache.set('k', undefined),
      cache.set('k', Symbol('s')),
      cache.set('k', { deep: [/x/] }),
      cache.set('k', 'x'.repeat(100)),
      cache.set('k', 1, { ttl: 0 }),
      cache.set('k', 1, { version: Number.NaN }),
      cache.set('k', 1, { version: Infinity }),
      // @ts-expect-error: a version is a number
      cache.set('k', 1, { version: '5' }),
      // @ts-expect-error: no such option
      cache.set('k', 1, { versoin: 5 }),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual([
      'VALUE_INVALID',
      'VALUE_INVALID',
      'VALUE_INVALID',
      'VALUE_INVALID',
      'VALUE_TOO_LARGE',
      'OPTION_INVALID',
      'OPTION_INVALID',
      'OPTION_INVALID',
      'OPTION_INVALID',
      'OPTION_INVALID',
    ]);
    expect(wire.sent).toEqual([]);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('encodes a value once, however long it waits for the backend', async () => {
    let encoded = 0;
    const codec = {
      ...jsonCodec,
      encode: (value: unknown, key: string) => {
        encoded += 1;
        return jsonCodec.encode(value, key);
      },
    };
    const cache = shelves(form).open({ codec });
    await cache.set('k', { id: 1 }, { tags: ['t'], version: 1 });
    expect(encoded).toBe(1);
    expect(await cache.get('k', never)).toEqual({ id: 1 });
  });

  it('asks the backend for a lifetime in whole ms, never a shorter one', async () => {
    const clock = fakeClock();
    const inner = memory({ clock });
    const lifetimes: number[] = [];
    const { values } = chaos(inner);
    const spied = {
      ...values,
      ...(form === 'in memory' && inner.values.resident ? { resident: inner.values.resident } : {}),
      set: (...args: Parameters<typeof values.set>) => {
        if (args[0] === 'hs=k') lifetimes.push(args[2]);
        return values.set(...args);
      },
    };
    const cache = createCache({ backend: { ...inner, values: spied }, clock, jitter: 0 });
    await cache.set('k', 1, { ttl: 1000 / 3 });
    await cache.set('k', 1, { ttl: '0.0001ms' });
    await cache.set('k', null, { negativeTtl: '1.5ms' });
    expect(lifetimes).toEqual([334, 1, 2]);
  });
});

describe('set with a version, many at once', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('ends with the newest, seed %i', async (seed) => {
    const clock = fakeClock({ seed });
    const backend = chaos(memory({ clock }), { clock, seed, delayMs: [0, 20] });
    const caches = Array.from({ length: 4 }, () => createCache({ backend, clock }));
    const versions = Array.from({ length: 24 }, (_, index) => index).sort(() => clock.random() - 0.5);
    const sets = versions.map((version, index) => caches[index % 4]?.set('k', { version }, { version }));
    const reads: number[] = [];
    const watch = async () => {
      for (let round = 0; round < 60; round += 1) {
        const seen = (await caches[round % 4]?.peek('k')) as { version: number } | undefined;
        if (seen !== undefined) reads.push(seen.version);
      }
    };
    const all = Promise.all([...sets, watch()]);
    await clock.advance(20_000);
    await all;
    const last = caches[0]?.peek('k');
    await clock.advance(100);
    expect(await last).toEqual({ version: 23 });
    expect(reads).toEqual(reads.toSorted((a, b) => a - b));
    expect(reads.length).toBeGreaterThan(10);
  });
});

describe.each(forms)('invalidate and delete, %s', (form) => {
  it('say whether something was there', async () => {
    const { cache } = shelves(form);
    await cache.set('k', 1);
    expect(await cache.delete('k')).toBe(true);
    expect(await cache.delete('k')).toBe(false);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.invalidate('k')).toBeUndefined();
  });

  it('take several keys, or none', async () => {
    const { cache } = shelves(form);
    for (const key of ['a', 'b', 'c']) await cache.set(key, 1);
    await cache.invalidate('a', ['b'], 'b');
    await cache.invalidate();
    expect(await cache.peek('a')).toBeUndefined();
    expect(await cache.peek('b')).toBeUndefined();
    expect(await cache.peek('c')).toBe(1);
  });

  it('invalidate nothing when one of the keys is refused', async () => {
    const { cache } = shelves(form);
    await cache.set('a', 1);
    expect(await codeOf(cache.invalidate('a', [Number.NaN]))).toBe('KEY_INVALID');
    expect(await cache.peek('a')).toBe(1);
  });
});

describe.each(forms)('clear, %s', (form) => {
  it('empties a namespace and those inside it, and no other', async () => {
    const { cache, open, clock } = shelves(form);
    const a = cache.namespace('a');
    const all = {
      root: cache,
      a,
      inA: a.namespace('b').namespace('c'),
      sibling: cache.namespace('ab'),
      sibling2: cache.namespace('a.'),
      elsewhere: open({ prefix: 'hs.a' }),
    };
    const keys = ['k', ['k'], ['k', 7], 'x'.repeat(300)];
    for (const space of Object.values(all)) for (const key of keys) await space.set(key, 1);
    await inTime(clock, a.clear());
    for (const [name, space] of Object.entries(all)) {
      for (const key of keys)
        expect(await space.peek(key), `in ${name}`).toBe(name === 'a' || name === 'inA' ? undefined : 1);
    }
    await inTime(clock, cache.clear());
    for (const [name, space] of Object.entries(all)) {
      for (const key of keys) expect(await space.peek(key), `in ${name}`).toBe(name === 'elsewhere' ? 1 : undefined);
    }
  });

  it('is seen by other processes at once', async () => {
    const { cache, open, clock } = shelves(form);
    const other = open();
    await other.get('k', () => 'old');
    await other.get('k', never);
    await inTime(clock, cache.clear());
    expect(await other.get('k', () => 'new')).toBe('new');
  });

  it('does not stand in the way of what is stored later', async () => {
    const { cache, clock } = shelves(form);
    for (let round = 0; round < 3; round += 1) {
      await inTime(clock, cache.clear());
      await cache.get('k', () => round);
      expect(await cache.get('k', never)).toBe(round);
    }
    const slow = gate<string>();
    const read = cache.get('l', () => slow.passed);
    await clock.advance(0);
    await inTime(clock, cache.clear());
    slow.open('old');
    await read;
    await clock.advance(0);
    expect(await cache.get('l', () => 'new')).toBe('new');
    expect(await cache.get('l', never)).toBe('new');
  });

  it('leaves what others keep in the same backend', async () => {
    const { cache, backend, clock } = shelves(form);
    for (const key of ['other', 'hs2=k', 'hsx', 'h']) await backend.values.set(key, Buffer.from('theirs'), 60_000);
    await inTime(clock, cache.clear());
    for (const key of ['other', 'hs2=k', 'hsx', 'h']) expect(await backend.values.get(key)).toBeDefined();
  });
});

describe('clear over a network', () => {
  it('is one write, whatever the number of entries', async () => {
    const { cache, wire, clock } = shelves();
    for (const count of [1, 500]) {
      for (let index = 0; index < count; index += 1) await cache.set(['k', index], index);
      wire.sent.length = 0;
      await inTime(clock, cache.clear());
      expect(wire.sent.filter((sent) => !sent.startsWith('get '))).toEqual(['set hs!epoch']);
    }
  });

  it('is not undone by the loss of the epoch', async () => {
    const { cache, clock, backend, open } = shelves();
    const part = cache.namespace('a');
    for (const epoch of ['hs/a!epoch', 'hs!epoch']) {
      await part.set('k', 'old');
      await inTime(clock, part.clear());
      await backend.values.delete([epoch]);
      await clock.advance(200);
      expect(await part.peek('k')).toBeUndefined();
      const load = counting('new');
      expect(await open().namespace('a').get('k', load)).toBe('new');
      expect(await part.get('k', never)).toBe('new');
      expect(load.calls).toBe(1);
    }
  });

  it('gives up, instead of hanging, on a backend that keeps no epoch', async () => {
    const { cache, wire, backend } = shelves();
    wire.after = async (verb, keys) => {
      if (verb === 'add' && keys[0] === 'hs!epoch') await backend.values.delete(['hs!epoch']);
    };
    expect(await cache.lookup('k', () => 'v')).toMatchObject({ value: 'v', status: 'bypass' });
    expect(await codeOf(cache.set('k', 'v'))).toBe('BACKEND_REFUSED');
  });
});

describe.each(forms)('a namespace, %s', (form) => {
  it('has keys and options of its own, and shares the rest', async () => {
    const { clock, open } = shelves(form);
    const cache = open({ ttl: '1h', negativeTtl: '10m' });
    const short = cache.namespace('short', { ttl: '1s' });
    const deeper = short.namespace('deeper', { negativeTtl: '1s' });
    await cache.get('k', () => 'root');
    await short.get('k', () => 'short');
    await short.get('null', () => null);
    await deeper.get('null', () => null);
    expect(await cache.get('k', never)).toBe('root');
    expect(await short.get('k', never)).toBe('short');
    await clock.advance(1001);
    expect(await cache.get('k', never)).toBe('root');
    expect(await short.peek('k')).toBeUndefined();
    expect(await short.peek('null')).toBeNull();
    expect(await deeper.peek('null')).toBeUndefined();
  });

  it('counts for itself, those above it count too, and it goes on when it is made again', async () => {
    const { cache } = shelves(form);
    await cache.namespace('a').get('k', () => 1);
    await cache.namespace('a', { ttl: '5s' }).get('k', never);
    await cache
      .namespace('a')
      .namespace('b')
      .get('k', () => 1);
    await cache.namespace('a', { ttl: '7s' }).namespace('b').get('k', never);
    await cache.namespace('c').get('k', () => 1);
    expect(cache.stats()).toMatchObject({ misses: 3, hits: 2 });
    expect(cache.namespace('a').stats()).toMatchObject({ misses: 2, hits: 2 });
    expect(cache.namespace('a').namespace('b').stats()).toMatchObject({ misses: 1, hits: 1 });
    expect(cache.namespace('c').stats()).toMatchObject({ misses: 1, hits: 0 });
  });

  it('keeps the options that it was made with, each time', async () => {
    const { cache } = shelves(form);
    const ttls: number[] = [];
    for (const [key, ttl] of [
      ['a', '1s'],
      ['b', '2s'],
      ['c', '1s'],
    ] as const) {
      ttls.push((await cache.namespace('n', { ttl }).lookup(key, () => 1)).ttlMs);
    }
    ttls.push((await cache.namespace('n').lookup('d', () => 1)).ttlMs);
    expect(ttls).toEqual([1000, 2000, 1000, 60_000]);
  });

  it('names itself in events', async () => {
    const { cache } = shelves(form);
    const names = new Set<string>();
    const inA = new Set<string>();
    cache.on((event) => names.add(event.cache));
    cache.namespace('a').on((event) => inA.add(event.cache));
    await cache.namespace('ab').get('k', () => 1);
    await cache.get('k', () => 1);
    await cache.namespace('a').get('k', () => 1);
    await cache
      .namespace('a')
      .namespace('b')
      .get('k', () => 1);
    expect([...names]).toEqual(['ab', 'default', 'a', 'a/b']);
    expect([...inA]).toEqual(['a', 'a/b']);
  });

  it.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(41), 'a:b', 'a=b', 'a!', '\n'])('refuses the name "%s"', (name) => {
    expect(() => shelves(form).cache.namespace(name)).toThrowError(/letters, digits/);
  });

  it('refuses the name that events have for the whole cache, and takes it inside another', () => {
    const { cache } = shelves(form);
    expect(() => cache.namespace('default')).toThrowError(/another name/);
    expect(() => cache.namespace('a').namespace('default')).not.toThrow();
  });

  it('refuses names that are too long together', () => {
    let { cache } = shelves(form);
    for (let depth = 0; depth < 2; depth += 1) cache = cache.namespace('x'.repeat(40));
    expect(() => cache.namespace('x'.repeat(40))).toThrowError(/longer than 120/);
  });
});

describe.each(forms)('wrap, %s', (form) => {
  it('does what the function does, through the cache, under its name and arguments', async () => {
    const { cache, clock } = shelves(form);
    const calls: unknown[] = [];
    const cityOf = cache.wrap(
      'city',
      async (id: number, language = 'en') => {
        calls.push([id, language]);
        return { id, language };
      },
      { ttl: '5s' },
    );
    expect(await cityOf(7)).toEqual({ id: 7, language: 'en' });
    expect(await cityOf(7)).toEqual({ id: 7, language: 'en' });
    expect(await cityOf(7, 'fr')).toEqual({ id: 7, language: 'fr' });
    expect(await cache.peek(['city', 7])).toEqual({ id: 7, language: 'en' });
    await cityOf.invalidate(7);
    expect(await cache.peek(['city', 7])).toBeUndefined();
    expect(await cache.peek(['city', 7, 'fr'])).toBeDefined();
    await clock.advance(5001);
    await cityOf(7, 'fr');
    expect(calls).toEqual([
      [7, 'en'],
      [7, 'fr'],
      [7, 'fr'],
    ]);
  });

  it('refuses bad options at once', () => {
    const { cache } = shelves(form);
    // @ts-expect-error: no duration
    expect(() => cache.wrap('f', () => 1, { ttl: '5 parsecs' })).toThrowError(/duration/);
    // @ts-expect-error: no function
    expect(() => cache.wrap('f', 5)).toThrowError(/function/);
  });
});
