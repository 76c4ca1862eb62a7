/** Shows the bounds of the memory backend, its sweep, its memos and its options. */

import { describe, expect, it } from 'vitest';
import type { Clock } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';

const bytes = (size: number) => new Uint8Array(size).fill(7);

/** How many of `count` keys that begin with `prefix` are there. */
async function present(backend: ReturnType<typeof memory>, prefix: string, count: number): Promise<number> {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  return (await backend.values.getMany(keys)).filter((stored) => stored !== undefined).length;
}

describe('the bounds of memory()', () => {
  it('hold for bytes, keys and overhead together', async () => {
    const backend = memory({ maxBytes: 100_000 });
    for (let index = 0; index < 500; index += 1) await backend.values.set(`k${index}`, bytes(600), Infinity);
    const left = await present(backend, 'k', 500);
    // 600 bytes, 4 of the key and 400 around it.
    expect(left).toBeGreaterThan(90);
    expect(left).toBeLessThan(100);
  });

  it('hold for entries', async () => {
    const backend = memory({ maxEntries: 10 });
    for (let index = 0; index < 50; index += 1) await backend.values.set(`k${index}`, bytes(1), Infinity);
    expect(await present(backend, 'k', 50)).toBe(10);
  });

  it('are shared by values and counters', async () => {
    const backend = memory({ maxEntries: 10 });
    for (let index = 0; index < 10; index += 1) await backend.values.set(`k${index}`, bytes(1), Infinity);
    for (let index = 0; index < 10; index += 1) await backend.counters.add(`k${index}`, 5, Infinity);
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
    const counts = (await backend.counters.read(keys)).filter((count) => count === 5).length;
    expect(counts).toBeGreaterThan(0);
    expect(counts + (await present(backend, 'k', 10))).toBe(10);
  });

  it('evict what is least used', async () => {
    const backend = memory({ maxEntries: 100 });
    await backend.values.set('popular', bytes(1), Infinity);
    for (let index = 0; index < 1000; index += 1) {
      await backend.values.set(`k${index}`, bytes(1), Infinity);
      backend.values.resident?.peek('popular');
    }
    expect(await backend.values.get('popular')).toBeDefined();
  });

  it('count a value anew when it is replaced', async () => {
    const backend = memory({ maxBytes: 100_000 });
    for (let index = 0; index < 1000; index += 1) await backend.values.set('same', bytes(20_000), Infinity);
    for (let index = 0; index < 80; index += 1) await backend.values.set(`k${index}`, bytes(500), Infinity);
    // 20,404 and 80 times 903 fit.
    expect(await present(backend, 'k', 80)).toBe(80);
    expect(await backend.values.get('same')).toBeDefined();
  });

  it('take a quarter of maxBytes as the largest value unless told otherwise', async () => {
    expect(memory({ maxBytes: 1_000_000 }).values.maxValueBytes).toBe(250_000);
    expect(memory().values.maxValueBytes).toBe(16 * 1024 * 1024);
    expect(memory({ maxValueBytes: 10 }).values.maxValueBytes).toBe(10);
  });
});

describe('a memo', () => {
  it('counts against the bounds and goes with its state', async () => {
    const backend = memory({ maxBytes: 100_000 });
    const { values } = backend;
    for (let index = 0; index < 100; index += 1) await values.set(`k${index}`, bytes(500), Infinity);
    const state = values.resident?.peek('k99');
    state?.remember('memo', 60_000);
    expect(values.resident?.peek('k99')?.memo).toBe('memo');
    expect(await present(backend, 'k', 100)).toBeLessThan(45);
    expect(values.resident?.peek('k99')).toBe(state);
    await values.delete(['k99']);
    for (let index = 0; index < 100; index += 1) await values.set(`k${index}`, bytes(500), Infinity);
    expect(await present(backend, 'k', 100)).toBe(100);
  });

  it('replaces the weight of the memo before it', async () => {
    const backend = memory({ maxBytes: 100_000 });
    for (let index = 0; index < 50; index += 1) await backend.values.set(`k${index}`, bytes(500), Infinity);
    for (let index = 0; index < 20; index += 1) backend.values.resident?.peek('k0')?.remember(index, 40_000);
    expect(backend.values.resident?.peek('k0')?.memo).toBe(19);
    expect(await present(backend, 'k', 50)).toBe(50);
  });

  it('is not kept when it is too heavy, nor on a state that is gone', async () => {
    const { values } = memory({ maxBytes: 100_000 });
    await values.set('k', bytes(500), Infinity);
    const state = values.resident?.peek('k');
    state?.remember('too heavy', 100_000);
    expect(state?.memo).toBeUndefined();
    await values.set('k', bytes(500), Infinity);
    state?.remember('too late', 10);
    expect(state?.memo).toBeUndefined();
    expect(values.resident?.peek('k')?.memo).toBeUndefined();
  });

  it('survives a touch, which keeps the version too', async () => {
    const { values } = memory();
    const version = await values.set('k', bytes(5), 60_000);
    values.resident?.peek('k')?.remember('memo', 10);
    await values.touch('k', 120_000);
    expect(values.resident?.peek('k')).toMatchObject({ memo: 'memo', version });
  });
});

/** A fake clock that counts the timers that were not in the background: those would keep a process alive. */
function watchedClock() {
  const clock = fakeClock();
  const seen = { foreground: 0 };
  const watched: Clock = {
    ...clock,
    after(ms, fn, options) {
      if (options?.background !== true) seen.foreground += 1;
      return clock.after(ms, fn, options);
    },
  };
  return { clock, watched, seen };
}

describe('the sweep', () => {
  it('frees expired values that nobody reads, with one background timer that ends when nothing is left', async () => {
    const { clock, watched, seen } = watchedClock();
    const backend = memory({ clock: watched, maxEntries: 3000 });
    expect(clock.timers).toBe(0);
    for (let index = 0; index < 2500; index += 1) await backend.values.set(`k${index}`, bytes(1), 500 + index);
    await backend.counters.add('count', 1, 700);
    expect(clock.timers).toBe(1);
    await clock.advance(10_000);
    expect(clock.timers).toBe(0);
    expect(seen.foreground).toBe(0);
    // All 3000 places are free again: nothing is evicted to make room.
    for (let index = 0; index < 3000; index += 1) await backend.values.set(`n${index}`, bytes(1), Infinity);
    expect(await present(backend, 'n', 3000)).toBe(3000);
  });

  it('is not armed for values without an end, and ends when only those are left', async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    await backend.values.set('endless', bytes(1), Infinity);
    expect(clock.timers).toBe(0);
    await backend.values.set('brief', bytes(1), 1500);
    expect(clock.timers).toBe(1);
    await clock.advance(5000);
    expect(clock.timers).toBe(0);
    await backend.values.touch('endless', 1500);
    expect(clock.timers).toBe(1);
    await clock.advance(5000);
    expect(clock.timers).toBe(0);
    expect(await backend.values.get('endless')).toBeUndefined();
  });

  it('visits a bounded number of cells at a time, and goes on soon while it finds much', async () => {
    const clock = fakeClock();
    let sweeps = 0;
    const after: Clock['after'] = (ms, fn) => clock.after(ms, () => ((sweeps += 1), fn()));
    const backend = memory({ clock: { ...clock, after } });
    for (let index = 0; index < 10_000; index += 1) await backend.values.set(`k${index}`, bytes(1), 500);
    await clock.advance(1000);
    expect(sweeps).toBe(1);
    await clock.advance(200);
    expect([sweeps, clock.timers]).toEqual([10, 0]);
  });

  it('stops at close', async () => {
    const clock = fakeClock();
    const backend = memory({ clock });
    await backend.values.set('k', bytes(1), 500);
    await backend.close();
    await backend.close();
    expect(clock.timers).toBe(0);
    expect(await backend.health()).toMatchObject({ ok: false });
  });
});

describe('memory()', () => {
  it('hands the stored bytes out without a copy, and not those of the caller', async () => {
    const { values } = memory();
    const own = Buffer.from('from the pool of Buffer');
    await values.set('k', own, Infinity);
    const first = await values.get('k');
    expect(first?.bytes).toBe((await values.get('k'))?.bytes);
    expect(first?.bytes).not.toBe(own);
    expect(first?.bytes.buffer.byteLength).toBe(own.length);
  });

  it('keeps values and counters of one key apart', async () => {
    const { values, counters } = memory();
    await values.set('k', bytes(3), Infinity);
    await counters.add('k', 5, Infinity);
    expect([(await values.get('k'))?.bytes.length, await counters.read(['k'])]).toEqual([3, [5]]);
  });

  it('refuses a sum above 2^53 - 1 and a lifetime of 0', async () => {
    const { values, counters } = memory();
    await counters.add('k', Number.MAX_SAFE_INTEGER, 60_000);
    await expect(counters.add('k', 1, 60_000)).rejects.toMatchObject({ code: 'BACKEND_REFUSED' });
    expect(await counters.read(['k'])).toEqual([Number.MAX_SAFE_INTEGER]);
    for (const ttl of [0, -1, Number.NaN])
      await expect(values.set('k', bytes(1), ttl)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await values.get('k')).toBeUndefined();
  });

  it('isolates a listener that throws', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', onWarning);
    const { bus } = memory();
    const heard: string[] = [];
    await bus.subscribe('t', () => {
      throw new Error('bad listener');
    });
    await bus.subscribe('t', (message) => heard.push(message));
    await bus.publish('t', 'x');
    await fakeClock().advance(0);
    process.off('warning', onWarning);
    expect(heard).toEqual(['x']);
    expect(warnings.join()).toContain('bad listener');
  });

  it.each([
    [{ maxBytes: 0 }, '`maxBytes` to be a whole number from 1024'],
    [{ maxBytes: '64mb' }, 'got "64mb" (string)'],
    [{ maxEntries: Infinity }, '`maxEntries`'],
    [{ maxEntries: 1.5 }, '`maxEntries`'],
    [{ maxBytes: 2000, maxValueBytes: 2000 }, '`maxValueBytes` to be a whole number from 1 to 1360'],
    [{ clock: {} }, '`clock`'],
    [{ maxByte: 5000 }, 'Did you mean `maxBytes`?'],
    ['big', 'to be an object'],
  ])('refuses the options %j', (options, part) => {
    let error: unknown;
    try {
      memory(options as never);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining(part) as string });
  });
});
