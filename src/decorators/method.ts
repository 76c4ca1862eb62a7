/** Reads what a decorator was applied to, in either of the two forms that TypeScript has. */

import { describe, HotshelfError } from '../support/errors.ts';
import { named } from '../cache/wrap/wrap.ts';

export type AnyArgs = readonly unknown[];
export type AnyMethod = (this: unknown, ...args: AnyArgs) => unknown;

/** A method as its class wrote it. */
export interface DecoratedMethod {
  readonly fn: AnyMethod;
  readonly name: string | symbol;
  readonly isStatic: boolean;
  /** The prototype, or for a static method the class, that has the method; standard decorators are not told. */
  readonly home: object | undefined;
}

/**
 * Puts what `replace` returns in the place of the method that a decorator was applied to. Returns what the decorator must.
 *
 * @throws {HotshelfError} `OPTION_INVALID` if it is no method.
 */
export function decorate(
  applied: readonly unknown[],
  where: string,
  replace: (method: DecoratedMethod) => AnyMethod,
): unknown {
  const [first, second, descriptor] = applied;
  if (isContext(second)) {
    if (second.kind !== 'method' || !isMethod(first)) throw noMethod(where, second.kind);
    return replacement({ fn: first, name: second.name, isStatic: second.static, home: undefined }, replace);
  }
  const isHome = (typeof first === 'object' && first !== null) || typeof first === 'function';
  const fn: unknown =
    typeof descriptor === 'object' && descriptor !== null && 'value' in descriptor && descriptor.value;
  if (!isHome || !isName(second) || !isMethod(fn)) throw noMethod(where, describe(first));
  const method = { fn, name: second, isStatic: typeof first === 'function', home: first };
  return { ...(descriptor as PropertyDescriptor), value: replacement(method, replace) };
}

/** The original stays in the chain of prototypes, so that metadata found on it is found on the replacement. */
function replacement(method: DecoratedMethod, replace: (method: DecoratedMethod) => AnyMethod): AnyMethod {
  return Object.setPrototypeOf(named(replace(method), method.fn), method.fn) as AnyMethod;
}

function isContext(value: unknown): value is ClassMethodDecoratorContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

function isMethod(value: unknown): value is AnyMethod {
  return typeof value === 'function';
}

function isName(value: unknown): value is string | symbol {
  return typeof value === 'string' || typeof value === 'symbol';
}

function noMethod(where: string, got: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `${where} decorates methods only, got ${got}.`);
}
