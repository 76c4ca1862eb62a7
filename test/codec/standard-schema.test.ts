/** Shows that schemas of a real library are asked as the standard says, and that others are refused with a reason. */

import { setImmediate } from 'node:timers/promises';
import { HotshelfError } from 'hotshelf';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { checkSchema, fits } from '../../src/codec/standard-schema.ts';

const city = v.object({ id: v.number(), name: v.pipe(v.string(), v.minLength(1)) });

describe('fits', () => {
  it.each([
    ['what fits', { id: 7, name: 'Nice' }, true],
    ['what has more than was asked for', { id: 7, name: 'Nice', area: 72 }, true],
    ['a member of another type', { id: '7', name: 'Nice' }, false],
    ['a member that is missing', { id: 7 }, false],
    ['a member that breaks a rule', { id: 7, name: '' }, false],
    ['null', null, false],
    ['nothing', undefined, false],
  ])('says of %s whether it fits', (_, value, expected) => {
    expect(fits(city, value)).toBe(expected);
  });

  it('asks the schema as a method of its own', () => {
    const standard = {
      version: 1 as const,
      vendor: 'mine',
      least: 5,
      validate(value: unknown) {
        return typeof value === 'number' && value >= this.least ? { value } : { issues: [{ message: 'too small' }] };
      },
    };
    expect(fits({ '~standard': standard }, 5)).toBe(true);
    expect(fits({ '~standard': standard }, 4)).toBe(false);
  });

  it('refuses a schema that checks asynchronously, and leaves no rejection behind', async () => {
    const unheard: unknown[] = [];
    const listener = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const slow = v.pipeAsync(
        v.string(),
        v.checkAsync(() => Promise.reject(new Error('the database is down'))),
      );
      expect(() => fits(slow, 'text')).toThrow(
        expect.objectContaining({
          code: 'OPTION_INVALID',
          message: expect.stringMatching(/valibot checks asynchronously/),
        }),
      );
      for (let turn = 0; turn < 3; turn += 1) await setImmediate();
      expect(unheard).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });
});

describe('checkSchema', () => {
  it('takes schemas of a library, and schemas that are functions', () => {
    expect(() => checkSchema(city, '`schema`')).not.toThrow();
    expect(() =>
      checkSchema(
        Object.assign(() => 1, city),
        '`schema`',
      ),
    ).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a function', () => true],
    ['an object', { validate: () => true }],
    ['a later version', { '~standard': { ...city['~standard'], version: 2 } }],
    ['one without validate', { '~standard': { version: 1, vendor: 'x' } }],
    ['text', 'string'],
  ])('refuses %s', (_, value) => {
    expect(() => checkSchema(value, '`schema`')).toThrow(HotshelfError);
    expect(() => checkSchema(value, '`schema`')).toThrow(/^Expected `schema` to be a schema of Standard Schema v1/);
  });
});
