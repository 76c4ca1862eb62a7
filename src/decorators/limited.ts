/** Lets a method be called only as often as a limit allows: `@limited`. */

import { durationMs } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { type AnyArgs, type AnyMethod, decorate, type DecoratedMethod } from './method.ts';
import type {
  Known,
  LimitedDecorator,
  LimitedMethodKey,
  LimitedMethodRule,
  LimiterSource,
  WrappingLimiter,
} from './types.ts';

/**
 * Takes from a limit for every call of an async method: a standard decorator, and one for `experimentalDecorators`, as in
 * NestJS. Where the limit refuses, the method does not run, and the call rejects with a `LimitExceededError`, which has the verdict.
 *
 * @param limiter a limiter, or a function that finds it from the object
 * @param rule whose limit it is: a key, or the key from the arguments of the call; or `{ key, cost, within }`
 * @throws {HotshelfError} `OPTION_INVALID` where the class is defined for a wrong rule; calls reject with `LIMIT_EXCEEDED`.
 * @example
 * ```ts
 * class Mails {
 *   @limited(mails, (to: string) => ['to', to])
 *   async send(to: string, text: string) {
 *     await smtp.send(to, text);
 *   }
 * }
 * ```
 */
export function limited<
  Self = unknown,
  const Rule extends LimitedMethodRule | LimitedMethodKey = LimitedMethodRule | LimitedMethodKey,
>(
  limiter: LimiterSource<Self>,
  rule: Rule & (Rule extends LimitedMethodKey ? unknown : Known<Rule, keyof LimitedMethodRule>),
): LimitedDecorator<Self, Rule>;
export function limited(
  limiter: LimiterSource<never>,
  rule: LimitedMethodRule | LimitedMethodKey,
): (...applied: AnyArgs) => unknown {
  const whole = wholeRule(rule);
  if (typeof limiter !== 'function') checkLimiter(limiter);
  return (...applied) => decorate(applied, where, (method) => limitedMethod(limiter, whole, method));
}

const where = '@limited';

function limitedMethod(source: LimiterSource<never>, rule: LimitedMethodRule, { fn }: DecoratedMethod): AnyMethod {
  const limiterOf = typeof source === 'function' ? (source as (self: unknown) => unknown) : () => source;
  const { key, cost = 1, within } = rule;
  return async function replacement(this: unknown, ...args: AnyArgs): Promise<unknown> {
    const limiter = checkLimiter(limiterOf(this));
    const run = limiter.wrap(async () => fn.call(this, ...args), {
      key: typeof key === 'function' ? key.call(this, ...args) : key,
      cost: typeof cost === 'function' ? cost.call(this, ...args) : cost,
      ...(within !== undefined && { within }),
    });
    return run();
  };
}

function wholeRule(rule: LimitedMethodRule | LimitedMethodKey): LimitedMethodRule {
  if (typeof rule === 'string' || typeof rule === 'function' || isList(rule)) return { key: rule };
  checkOptionNames(rule ?? null, ['key', 'cost', 'within'], where);
  const { key, cost = 1, within } = rule;
  if (typeof key !== 'string' && typeof key !== 'function' && !isList(key)) {
    throw wrong('key', 'a text, a list of texts or a function that returns one', key);
  }
  if (typeof cost !== 'function' && !(Number.isSafeInteger(cost) && cost >= 0)) {
    throw wrong('cost', 'a whole number from 0, or a function that returns one', cost);
  }
  if (within !== undefined) durationMs(within, 'within', { orZero: true });
  return rule;
}

function wrong(name: string, expected: string, value: unknown): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` of ${where} to be ${expected}, got ${describe(value)}.`,
  );
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

function checkLimiter(limiter: unknown): WrappingLimiter {
  if (isLimiter(limiter)) return limiter;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to get a limiter, as limiter() returns it, got ${describe(limiter)}.`,
  );
}

function isLimiter(value: unknown): value is WrappingLimiter {
  return typeof value === 'object' && value !== null && 'wrap' in value && typeof value.wrap === 'function';
}
