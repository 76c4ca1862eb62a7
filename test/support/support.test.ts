/** Shows what errors, option names, listeners and clocks promise to everything that is built on them. */

import { describe, expect, it, vi } from 'vitest';
import { errorCodes, HotshelfError, systemClock, UnconfirmedError } from 'hotshelf';
import { fakeClock } from 'hotshelf/testing';
import { CoarseClock } from '../../src/support/coarse-clock.ts';
import { sleep } from '../../src/support/clock.ts';
import { Emitter } from '../../src/support/emitter.ts';
import { describe as show, isUnconfirmed } from '../../src/support/errors.ts';
import { checkOptionNames } from '../../src/support/options.ts';

describe('an error', () => {
  it('has a code, a message and a cause', () => {
    const cause = new Error('socket');
    const error = new HotshelfError('BACKEND_DOWN', 'It is down.', { cause });
    expect(error).toMatchObject({ name: 'HotshelfError', code: 'BACKEND_DOWN', message: 'It is down.', cause });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('HotshelfError: It is down.');
  });

  it('of an unconfirmed write carries its result', () => {
    const error = new UnconfirmedError('Done.', { id: 7 });
    expect(error).toBeInstanceOf(HotshelfError);
    expect(error).toMatchObject({ code: 'INVALIDATION_UNCONFIRMED', result: { id: 7 } });
  });

  it.each(Object.keys(errorCodes) as (keyof typeof errorCodes)[])(
    'with %s says whether the backend may have failed to act',
    (code) => {
      const expected = ['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED'].includes(code);
      expect(isUnconfirmed(new HotshelfError(code, ''))).toBe(expected);
    },
  );

  it('of others is never one of ours', () => {
    for (const error of [new Error('x'), { code: 'BACKEND_DOWN' }, 'BACKEND_DOWN', null, undefined])
      expect(isUnconfirmed(error)).toBe(false);
  });

  it.each([
    ['text', '"text" (string)'],
    ['x'.repeat(41), 'a string of 41 characters'],
    [5, '5 (number)'],
    [Number.NaN, 'NaN (number)'],
    [5n, '5 (bigint)'],
    [true, 'true (boolean)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ password: 'hunter2' }, 'an object'],
    [['hunter2'], 'an array'],
    [() => 'hunter2', 'a function'],
    [Symbol('hunter2'), 'a symbol'],
  ])('shows the kind of a value and not its content: no. %#', (value, shown) => {
    expect(show(value)).toBe(shown);
  });
});

describe('option names', () => {
  const known = ['ttl', 'negativeTtl', 'maxValueBytes'];
  const complaint = (options: unknown) => {
    try {
      checkOptionNames(options, known, 'thing()');
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('are fine if they are known, or if there are none', () => {
    expect([complaint(undefined), complaint({}), complaint({ ttl: 1 })]).toEqual(['none', 'none', 'none']);
  });

  it.each([
    [{ tttl: 1 }, 'thing() has no option `tttl`. Did you mean `ttl`?'],
    [{ NEGATIVETTL: 1 }, 'thing() has no option `NEGATIVETTL`. Did you mean `negativeTtl`?'],
    [{ maxBytes: 1 }, 'thing() has no option `maxBytes`. It knows ttl, negativeTtl, maxValueBytes.'],
    [{ maxValuesByte: 1 }, 'thing() has no option `maxValuesByte`. Did you mean `maxValueBytes`?'],
    [null, 'Expected the options of thing() to be an object.'],
    ['ttl', 'Expected the options of thing() to be an object.'],
    [[], 'Expected the options of thing() to be an object.'],
  ])('that are not known are refused with a hint: %j', (options, message) => {
    expect(complaint(options)).toBe(message);
  });
});

describe('an emitter', () => {
  it('tells everybody, until they leave, in the order in which they came', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    expect(emitter.observed).toBe(false);
    const listener = (event: number) => heard.push(`a${event}`);
    const leave = [emitter.on(listener), emitter.on((event) => heard.push(`b${event}`)), emitter.on(listener)];
    emitter.emit(1);
    leave[0]?.();
    leave[0]?.();
    emitter.emit(2);
    leave[1]?.();
    leave[2]?.();
    emitter.emit(3);
    expect(heard).toEqual(['a1', 'b1', 'a1', 'b2', 'a2']);
    expect(emitter.observed).toBe(false);
  });

  it('goes on when a listener leaves, comes or throws while it is told', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const emitter = new Emitter<string>();
    const heard: string[] = [];
    const leave = emitter.on(() => {
      leave();
      emitter.on((event) => heard.push(`late ${event}`));
      throw new Error('mine');
    });
    emitter.on((event) => heard.push(event));
    emitter.emit('one');
    emitter.emit('two');
    expect(heard).toEqual(['one', 'two', 'late two']);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain('mine');
    warn.mockRestore();
  });
});

describe('the system clock', () => {
  it('fires once, or never if it was called off', async () => {
    const fired: string[] = [];
    const off = systemClock.after(1, () => fired.push('off'));
    off.cancel();
    off.cancel();
    await new Promise<void>((resolve) => {
      const on = systemClock.after(5, () => {
        fired.push('on');
        on.cancel();
        resolve();
      });
    });
    expect(fired).toEqual(['on']);
  });

  it('does not take a very long time for none', async () => {
    const fired = vi.fn<() => void>();
    const timer = systemClock.after(2 ** 40, fired, { background: true });
    await sleep(systemClock, 20);
    timer.cancel();
    expect(fired).not.toHaveBeenCalled();
  });

  it('has two times, turns and randomness', async () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
    const before = systemClock.monotonic();
    await new Promise<void>((resolve) => systemClock.turn(resolve));
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
    const random = systemClock.random();
    expect(random >= 0 && random < 1).toBe(true);
  });
});

describe('a coarse clock', () => {
  it('is at most 10 ms behind, and leaves one timer at most', async () => {
    const clock = fakeClock();
    const coarse = new CoarseClock(clock);
    for (let round = 0; round < 50; round += 1) {
      expect(clock.now() - coarse.now()).toBeLessThanOrEqual(10);
      expect(clock.timers).toBe(1);
      await clock.advance(3);
    }
    await clock.advance(20);
    expect(clock.timers).toBe(0);
  });

  it('asks again after some questions although no timer can fire', () => {
    const clock = fakeClock();
    const coarse = new CoarseClock(clock);
    coarse.now();
    clock.jump(5000);
    let questions = 0;
    while (coarse.now() !== clock.now()) questions += 1;
    expect(questions).toBeLessThanOrEqual(64);
  });
});
