/** Shows that waiting ends in time and says what it waited for. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { randomDelay, seededRandom } from './random.ts';
import { deferred, until } from './wait.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('until', () => {
  it('resolves with the first truthy value', async () => {
    let looks = 0;
    expect(await until(() => ++looks > 2 && 'here', { what: 'three looks', every: 1 })).toBe('here');
    expect(looks).toBe(3);
  });

  it('says what it waited for, and the last error of the condition', async () => {
    const condition = (): boolean => {
      throw new Error('still starting');
    };
    const waiting = until(condition, { what: 'the server', within: 20, every: 5 });
    await expect(waiting).rejects.toThrow('Timed out after 20 ms waiting for the server: still starting');
  });

  it('keeps its deadline when the condition never settles', async () => {
    const waiting = until(() => new Promise<boolean>(() => undefined), { what: 'nothing', within: 20 });
    await expect(waiting).rejects.toThrow('Timed out after 20 ms waiting for nothing');
  });

  it('waits in real time while the test uses fake timers', async () => {
    vi.useFakeTimers();
    let looks = 0;
    expect(await until(() => ++looks === 3, { what: 'three looks', every: 2 })).toBe(true);
  });
});

describe('deferred', () => {
  it('settles from outside', async () => {
    const good = deferred<number>();
    good.resolve(7);
    await expect(good.promise).resolves.toBe(7);
    const bad = deferred();
    bad.reject(new Error('no'));
    await expect(bad.promise).rejects.toThrow('no');
  });
});

describe('randomDelay', () => {
  it('repeats its series for the same seed and differs for another', () => {
    const series = (seed: number): number[] => Array.from({ length: 50 }, randomDelay(seed));
    expect(series(1)).toEqual(series(1));
    expect(series(1)).not.toEqual(series(2));
  });

  it('gives every whole number from the first to the last bound', () => {
    const delays = Array.from({ length: 500 }, randomDelay(3, 0, 6));
    expect(new Set(delays)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  it('draws from [0, 1)', () => {
    const numbers = Array.from({ length: 1000 }, seededRandom(4));
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  });
});
