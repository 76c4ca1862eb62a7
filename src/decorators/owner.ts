/** Names a decorated method after its class, and sees to it that no other class answers for it. */

import { HotshelfError } from '../support/errors.ts';
import type { DecoratedMethod } from './method.ts';

export class Owner {
  readonly #method: DecoratedMethod;
  /** What stands in the class in place of the method. */
  readonly #replacement: () => object;
  #name: string | undefined;
  /** The class of the objects that the method is called on: its own, or one that inherits it. */
  #class: unknown;

  constructor(method: DecoratedMethod, replacement: () => object) {
    this.#method = method;
    this.#replacement = replacement;
  }

  /** Sees whose method is called. @throws {HotshelfError} `OPTION_INVALID` if entries of two classes would mix. */
  check(self: unknown): void {
    const { isStatic } = this.#method;
    const found: unknown = isStatic ? self : (self as { readonly constructor?: unknown } | undefined)?.constructor;
    if (found === this.#class && found !== undefined) return;
    const title = this.nameFor(self);
    this.#class ??= found;
    if (found === this.#class) return;
    throw new HotshelfError(
      'OPTION_INVALID',
      `${title}() is called on objects of the classes ${nameOf(this.#class)} and ${nameOf(found)}, and their entries would mix. If both may have the same, give @cached the \`name\` "${title}"; otherwise a \`key\` that tells them apart.`,
    );
  }

  /** Returns `Cities.byId`, the first part of the keys. @throws {HotshelfError} `OPTION_INVALID` if the class has no name. */
  nameFor(self: unknown): string {
    this.#name ??= this.#find(self);
    return this.#name;
  }

  #find(self: unknown): string {
    const { name, isStatic, home = this.#homeOf(self) } = this.#method;
    const className = nameOf(isStatic ? home : home && (home as { readonly constructor?: unknown }).constructor);
    if (home === undefined || className === '' || typeof name === 'symbol') {
      throw new HotshelfError(
        'OPTION_INVALID',
        `Cannot tell which class has the method ${String(name)}() that @cached decorates. Give @cached a \`name\` or a \`key\`.`,
      );
    }
    return `${className}.${isStatic ? 'static.' : ''}${name}`;
  }

  /** Standard decorators run before their class exists: it is found from an object of it. */
  #homeOf(self: unknown): object | undefined {
    const { name } = this.#method;
    const candidates: object[] = [];
    for (let at = self; isObject(at); at = Object.getPrototypeOf(at)) {
      const value: unknown = Object.getOwnPropertyDescriptor(at, name)?.value;
      if (value === this.#replacement()) return at;
      if (typeof value === 'function') candidates.push(at);
    }
    // Another decorator stands around this one. With a method of this name in a subclass as well nobody can tell which is which.
    return candidates.length === 1 ? candidates[0] : undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function nameOf(someClass: unknown): string {
  return typeof someClass === 'function' && typeof someClass.name === 'string' ? someClass.name : '';
}
