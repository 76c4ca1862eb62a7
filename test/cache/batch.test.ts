/** Shows that a read of many keys is one trip and one load, and keeps for each key what `get` promises. */

import { createCache, type BatchContext } from 'hotshelf';
import { afterEach, describe, expect, it } from 'vitest';
import { backendOn, cleanUp, later, server } from '../adapters/redis/support.ts';
import { codeOf, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

/** A loader that answers `value` for each id, and the ids of each of its calls. */
function batches<Id extends string | number>(value: (id: Id) => unknown = (id) => `v${id}`) {
  const calls: Id[][] = [];
  const load = (ids: readonly Id[]) => {
    calls.push([...ids]);
    return ids.map(value);
  };
  return Object.assign(load, { calls });
}

const ids = [1, 2, 3, 4];
const values = ids.map((id) => `v${id}`);

describe.each(forms)('a read of many keys, %s', (form) => {
  it('loads all that is missing at once, and answers in the order of the ids', async () => {
    const { cache, open } = shelves(form);
    await cache.get(['row', 3], () => 'kept');
    const load = batches<number>();
    expect(await cache.getMany('row', [4, 3, 2, 1], load)).toEqual(['v4', 'kept', 'v2', 'v1']);
    expect(load.calls).toEqual([[4, 2, 1]]);
    expect(await open().getMany('row', ids, never)).toEqual(['v1', 'v2', 'kept', 'v4']);
    expect(await cache.get(['row', 2], never)).toBe('v2');
    expect(cache.stats()).toMatchObject({ misses: 4, loads: 4 });
  });

  it('answers nothing with nothing', async () => {
    expect(await shelves(form).cache.getMany('row', [], never)).toEqual([]);
  });

  it('has the keys of `get`, for each kind of prefix and id', async () => {
    const { cache } = shelves(form);
    const load = batches<string | number>((id) => `${typeof id} ${id}`);
    for (const prefix of [['row'], ['row', 'of', 7], 'text', []]) {
      const start = typeof prefix === 'string' ? [prefix] : prefix;
      expect(await cache.getMany(prefix, [1, '1'], load)).toEqual(['number 1', 'string 1']);
      expect(await cache.get([...start, 1], never)).toBe('number 1');
      expect(await cache.get([...start, '1'], never)).toBe('string 1');
    }
    expect(load.calls).toHaveLength(4);
  });

  it('takes a list or a map from its loader', async () => {
    const { cache } = shelves(form);
    expect(await cache.getMany('list', ids, async (some) => some.map((id) => id * 10))).toEqual([10, 20, 30, 40]);
    const map = new Map(ids.toReversed().map((id) => [id, id * 10] as const));
    expect(await cache.getMany('map', ids, () => map)).toEqual([10, 20, 30, 40]);
    for (const prefix of ['list', 'map']) expect(await cache.getMany(prefix, ids, never)).toEqual([10, 20, 30, 40]);
  });

  it('does not cache an id that its loader leaves out, and caches one that is null', async () => {
    const { cache } = shelves(form);
    const load = () =>
      new Map([
        [1, 'one'],
        [2, null],
      ]);
    expect(await cache.getMany('row', [1, 2, 3], load)).toEqual(['one', null, undefined]);
    const again = batches<number>();
    expect(await cache.getMany('row', [1, 2, 3], again)).toEqual(['one', null, 'v3']);
    expect(again.calls).toEqual([[3]]);
    expect(await cache.getMany('list', [1, 2], () => [undefined, 'two'])).toEqual([undefined, 'two']);
    expect(await cache.peek(['list', 1])).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['a list that is too short', ['one']],
    ['a list that is too long', ['one', 'two', 'three', 'four', 'five']],
    ['an object', { 1: 'one' }],
    ['nothing', undefined],
    ['null', null],
    ['text', 'text'],
  ])('rejects when its loader returns %s, and is not in the way of the next', async (_, result) => {
    const { cache, clock } = shelves(form);
    const wrong = (): never => result as never;
    expect(await codeOf(cache.getMany('row', ids, wrong))).toBe('VALUE_INVALID');
    expect(await inTime(clock, cache.getMany('row', ids, batches()))).toEqual(values);
  });

  it('rejects with what its loader throws, unchanged, and leaves no lease behind', async () => {
    const { cache, clock } = shelves(form);
    const error = new Error('the database is down');
    for (const load of [() => Promise.reject(error), () => throwing(error)]) {
      await expect(cache.getMany('row', ids, load)).rejects.toBe(error);
    }
    const load = batches<number>();
    expect(await inTime(clock, cache.getMany('row', ids, load))).toEqual(values);
    expect(load.calls).toEqual([ids]);
  });

  it('answers an id that comes twice from one load', async () => {
    const { cache } = shelves(form);
    const load = batches<number>();
    expect(await cache.getMany('row', [7, 8, 7, 7, 8], load)).toEqual(['v7', 'v8', 'v7', 'v7', 'v8']);
    expect(load.calls).toEqual([[7, 8]]);
  });

  it('loads together with those of the same tick under the same prefix, and with no others', async () => {
    const { cache } = shelves(form);
    const [load, second, other] = [batches<number>(), batches<number>(), batches<number>()];
    const reads = [
      cache.getMany('row', [1, 2], load),
      cache.getMany('row', [3, 1], second),
      cache.getMany('other', [1], other),
      cache.namespace('row').getMany('row', [1], other),
      cache.get(['row', 4], () => 'alone'),
      cache.namespace('row').getMany('row', [2], never),
    ];
    expect(await Promise.all(reads)).toEqual([['v1', 'v2'], ['v3', 'v1'], ['v1'], ['v1'], 'alone', ['v2']]);
    expect(load.calls).toEqual([[1, 2, 3]]);
    expect(second.calls).toEqual([]);
    expect(other.calls).toEqual([[1], [1, 2]]);
    await cache.getMany('row', [9], second);
    expect(second.calls).toEqual([[9]]);
  });

  it('does not leave its misses to the loader of a call that needed none', async () => {
    const { cache } = shelves(form);
    const load = batches<number>();
    await cache.set(['row', 1], 'known');
    const reads = [cache.getMany('row', [], never), cache.getMany('row', [2], load)];
    expect(await Promise.all(reads)).toEqual([[], ['v2']]);
    expect(await cache.getMany('row', [1], never)).toEqual(['known']);
    expect(await cache.getMany('row', [3], load)).toEqual(['v3']);
    expect(load.calls).toEqual([[2], [3]]);
  });

  it('shares a load that another read of its process is doing, and does not wait with its own', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('first', () => 1);
    const slow = gate<string>();
    const single = cache.get(['row', 2], () => slow.passed);
    await clock.advance(0);
    const load = batches<number>();
    const many = cache.getMany('row', ids, load);
    await clock.advance(0);
    expect(load.calls).toEqual([[1, 3, 4]]);
    slow.open('from the other');
    expect(await many).toEqual(['v1', 'from the other', 'v3', 'v4']);
    expect(await single).toBe('from the other');
  });

  it('waits for keys that another process loads, and loads the others meanwhile', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string[]>();
    const elsewhere = open().getMany('row', [2, 4], () => slow.passed);
    await clock.advance(0);
    const load = batches<number>();
    const many = cache.getMany('row', ids, load);
    await clock.advance(100);
    expect(load.calls).toEqual([[1, 3]]);
    expect(await isSettled(many)).toBe(false);
    slow.open(['from', 'elsewhere']);
    expect(await elsewhere).toEqual(['from', 'elsewhere']);
    expect(await inTime(clock, many)).toEqual(['v1', 'from', 'v3', 'elsewhere']);
    expect(load.calls).toEqual([[1, 3]]);
  });

  it('loads the rest at once when the other process fails', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string[]>();
    const elsewhere = codeOf(open().getMany('row', [2, 4], () => slow.passed));
    await clock.advance(0);
    const load = batches<number>();
    const many = cache.getMany('row', ids, load);
    await clock.advance(100);
    slow.fail(new Error('it failed'));
    await elsewhere;
    expect(await inTime(clock, many)).toEqual(values);
    expect(load.calls.flat().toSorted((a, b) => a - b)).toEqual(ids);
    expect(load.calls.length).toBeLessThanOrEqual(3);
  });

  it('does not store, nor share, what was loaded before an invalidation', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('first', () => 1);
    const slow = gate<string[]>();
    const before = cache.getMany('row', ids, () => slow.passed, { tags: (value) => [value] });
    await clock.advance(0);
    await open().invalidate(['row', 2]);
    await open().invalidateTags(['old 3']);
    const after = [2, 3].map((id) => cache.get(['row', id], () => 'new'));
    await clock.advance(0);
    slow.open(['old 1', 'old 2', 'old 3', 'old 4']);
    expect(await before).toEqual(['old 1', 'old 2', 'old 3', 'old 4']);
    for (const read of after) expect(await inTime(clock, read)).toBe('new');
    const [, second, third] = await inTime(clock, cache.getMany('row', ids, batches()));
    expect([second, third]).toEqual(['new', 'new']);
  });

  it('does not share a read with a call of the same tick that came after an invalidation', async () => {
    const { cache } = shelves(form);
    let truth = 'old';
    const load = () => ids.map(() => truth);
    await cache.getMany('row', ids, load);
    const first = cache.getMany('row', ids, load);
    truth = 'new';
    await cache.invalidate(...ids.map((id) => ['row', id]));
    expect(await cache.getMany('row', ids, load)).toEqual(ids.map(() => 'new'));
    await first;
    expect(await cache.getMany('row', ids, never)).toEqual(ids.map(() => 'new'));
  });

  it('goes past the cache with one load where a mutate holds a key', async () => {
    const { cache, clock, open } = shelves(form);
    const write = gate();
    const mutation = open().mutate([['row', 2]], () => write.passed, { tags: ['t'] });
    await clock.advance(0);
    for (const options of [{}, { tags: ['t'] }]) {
      const load = batches<number>();
      expect(await inTime(clock, cache.getMany('row', ids, load, options))).toEqual(values);
      expect(load.calls.map((call) => call.toSorted((a, b) => a - b))).toEqual([ids]);
      await cache.invalidate(...ids.map((id) => ['row', id]));
      expect(await cache.peek(['row', 2])).toBeUndefined();
    }
    write.open();
    await mutation;
  });

  it('lets each id have tags, a ttl and an etag of its own', async () => {
    const { cache, clock, open } = shelves(form);
    const load = (some: readonly number[], { of }: BatchContext<number>) => {
      for (const id of some) {
        of(id).tag(['odd', id % 2]);
        if (id === 4) of(id).ttl('1s');
      }
      return some.map((id) => id * 10);
    };
    const options = { tags: (value: number) => [['value', value]] };
    // What a loader names for the first time counts from the next load on.
    for (let round = 0; round < 2; round += 1) await cache.getMany('row', ids, load, options);
    await open().invalidateTags([['odd', 1]]);
    expect(await Promise.all(ids.map((id) => cache.peek(['row', id])))).toEqual([undefined, 20, undefined, 40]);
    await open().invalidateTags([['value', 20]]);
    expect(await Promise.all(ids.map((id) => cache.peek(['row', id])))).toEqual([undefined, undefined, undefined, 40]);
    await clock.advance(1000);
    expect(await cache.peek(['row', 4])).toBeUndefined();
  });

  it('takes what a loader says of an id: that it is not to be stored, or unchanged', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '1m', grace: '1h' } as const;
    await cache.getMany('row', [1, 2], () => ['one', 'two'], options);
    await clock.advance(61_000);
    const stale: unknown[] = [];
    const read = await cache.getMany(
      'row',
      [1, 2],
      (some, { of }) => {
        for (const id of some) stale.push(of(id).stale?.value);
        return [of(1).unchanged(), of(2).skip('skipped')];
      },
      options,
    );
    expect(read).toEqual(['one', 'skipped']);
    expect(stale).toEqual(['one', 'two']);
    expect([await cache.peek(['row', 1]), await cache.peek(['row', 2])]).toEqual(['one', undefined]);
  });

  it('answers stale entries where the load fails, and fails only where there is none', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '1m', grace: '1h' } as const;
    await cache.getMany('row', [1, 2], batches<number>(), options);
    await clock.advance(61_000);
    const down = () => Promise.reject(new Error('down'));
    expect(await cache.getMany('row', [1, 2], down, options)).toEqual(['v1', 'v2']);
    await expect(cache.getMany('row', [1, 2, 3], down, options)).rejects.toThrow('down');
  });

  it('refreshes early with one load behind', async () => {
    const { cache, clock } = shelves(form);
    const options = { ttl: '1m', refresh: 0.5 } as const;
    await cache.getMany('row', ids, batches<number>(), options);
    await clock.advance(31_000);
    const load = batches<number>((id) => `newer ${id}`);
    expect(await cache.getMany('row', ids, load, options)).toEqual(values);
    await clock.advance(0);
    expect(load.calls).toEqual([ids]);
    expect(await cache.getMany('row', ids, never, options)).toEqual(ids.map((id) => `newer ${id}`));
  });

  it('gives its loader a signal that fires when the time is up', async () => {
    const { cache, clock } = shelves(form);
    let fired = false;
    const read = cache.getMany(
      'row',
      ids,
      (_, { signal }) => {
        signal.addEventListener('abort', () => void (fired = true));
        return new Promise<never>(() => {});
      },
      { timeout: { hard: '1s' } },
    );
    const code = codeOf(read);
    await clock.advance(1000);
    expect(await code).toBe('CACHE_LOAD_TIMEOUT');
    expect(fired).toBe(true);
    expect(await inTime(clock, cache.getMany('row', ids, batches()))).toEqual(values);
  });

  it('refuses ids, loaders and options that are none, before anything is asked', async () => {
    const { cache, wire } = shelves(form);
    // @ts-expect-error: one id in the place of the list
    expect(await codeOf(cache.getMany('row', 7, never))).toBe('KEY_INVALID');
    expect(await codeOf(cache.getMany('row', [1, Number.NaN], never))).toBe('KEY_INVALID');
    // @ts-expect-error: a number in the place of the prefix
    expect(await codeOf(cache.getMany(5, [1], never))).toBe('KEY_INVALID');
    // @ts-expect-error: values in the place of the loader
    expect(await codeOf(cache.getMany('row', [1], ['v1']))).toBe('OPTION_INVALID');
    // @ts-expect-error: no such option
    expect(await codeOf(cache.getMany('row', [1], never, { tll: 5 }))).toBe('OPTION_INVALID');
    expect(await codeOf(cache.getMany<number, string>('row', [1], (_, { of }) => [of(2).key]))).toBe('KEY_INVALID');
    expect(wire.sent.filter((command) => /row:#[^1]/.test(command))).toEqual([]);
  });

  it('answers from the loader, and from one load, after the cache was closed', async () => {
    const { cache } = shelves(form);
    await cache.close();
    const load = batches<number>();
    expect(await cache.getMany('row', [...ids, 1], load)).toEqual([...values, 'v1']);
    expect(load.calls).toEqual([ids]);
  });
});

function throwing(error: Error): never {
  throw error;
}

describe('a read of many keys over a network', () => {
  it('sends all its reads before an answer comes, and then all its leases', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('first', () => 1);
    const answers = gate();
    wire.sent.length = 0;
    wire.after = (verb) => (verb === 'get' ? answers.passed : undefined);
    const load = batches<number>();
    const read = cache.getMany('row', ids, load);
    await clock.advance(0);
    expect(wire.sent).toEqual(ids.map((id) => `get hs:row:#${id}`));
    const leases = gate();
    wire.after = (verb) => (verb === 'add' ? leases.passed : undefined);
    answers.open();
    await clock.advance(0);
    expect(wire.sent.slice(ids.length)).toEqual(ids.map((id) => `add hs:row:#${id}`));
    leases.open();
    expect(await read).toEqual(values);
    expect(load.calls).toEqual([ids]);
  });

  it('waits with its load for the slowest lease, also of an id that comes twice', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('first', () => 1);
    const slow = gate();
    wire.before = (verb, [key]) => (verb === 'add' && key === 'hs:row:#1' ? slow.passed : undefined);
    const load = batches<number>();
    const read = cache.getMany('row', [...ids, 1], load);
    await clock.advance(20);
    expect(load.calls).toEqual([]);
    slow.open();
    expect(await read).toEqual([...values, 'v1']);
    expect(load.calls.map((call) => call.toSorted((a, b) => a - b))).toEqual([ids]);
    expect(wire.sent.filter((command) => command === 'get hs:row:#1')).toHaveLength(1);
  });

  it('reads the tags of all its keys in the same trip', async () => {
    const { cache, clock, wire } = shelves();
    const options = { tags: ['t', 'u'] };
    await cache.getMany('row', ids, batches<number>(), options);
    await clock.advance(1000);
    wire.sent.length = 0;
    const answers = gate();
    wire.after = () => answers.passed;
    const read = cache.getMany('row', ids, never, options);
    await clock.advance(0);
    expect(wire.sent).toEqual(ids.map((id) => `get hs:row:#${id} hs!tag=t hs!tag=u hs!epoch`));
    answers.open();
    expect(await read).toEqual(values);
    expect(wire.sent).toHaveLength(ids.length);
  });

  it('loads all at once past a backend that does not answer', async () => {
    const { cache, wire } = shelves();
    const events = record(cache);
    wire.before = failing('BACKEND_DOWN');
    const load = batches<number>();
    expect(await cache.getMany('row', [...ids, 1], load)).toEqual([...values, 'v1']);
    expect(load.calls).toEqual([ids]);
    expect(events.filter((event) => event === 'bypass backend')).toHaveLength(4);
  });
});

describe('a read of many keys from a real Redis', () => {
  afterEach(cleanUp);

  it('is one command for all of them, tags included', async () => {
    const real = await server();
    const cache = later((one) => one.close(), createCache({ backend: await backendOn(real.url) }));
    const many = Array.from({ length: 100 }, (_, index) => index);
    const tagged = { tags: ['t'] };
    const load = batches<number>();
    for (const [prefix, options] of [
      ['row', {}],
      ['tagged', tagged],
    ] as const) {
      await cache.getMany(prefix, many, load, options);
      // What was loaded is stored behind.
      await expect.poll(() => cache.peek([prefix, 99])).toBe('v99');
      await real.cli('CONFIG', 'RESETSTAT');
      expect(await cache.getMany(prefix, many, never, options)).toEqual(many.map((id) => `v${id}`));
      const stats = String(await real.cli('INFO', 'commandstats'));
      const reads = [...stats.matchAll(/cmdstat_(m?get):calls=(\d+)/g)].map(([, name, calls]) => `${name} ${calls}`);
      expect(reads).toEqual(['mget 1']);
    }
    expect(load.calls.map((ids) => ids.length)).toEqual([100, 100]);
  });
});
