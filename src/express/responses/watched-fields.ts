/** Tells when somebody reads certain header fields of a request, in whatever way. */

import { inspect } from 'node:util';
import { type Watching, watchProperty } from './watched-property.ts';

export interface FieldsWatching extends Pick<Watching, 'quietly'> {
  /** In lower case. */
  readonly names: ReadonlySet<string>;
  /** Called with the name of the field that is read, also of one that is not there; with none when all of them are listed. */
  readonly seen: (name?: string) => void;
}

export interface WatchedFields {
  /** To be shown in the place of the fields. */
  readonly shown: object;
  readonly end: () => void;
}

/** Where the fields behind a proxy are found, when a second watch is put on the first. */
const behind = Symbol('behind');

/**
 * A proxy notices what is asked for and not there, and who lists all there is. Fields that are there are watched where they stand,
 * because somebody may have kept the object from before.
 */
export function watchFields(fields: object, { names, seen, quietly }: FieldsWatching): WatchedFields {
  const found: unknown = Reflect.get(fields, behind);
  const real = typeof found === 'object' && found !== null ? found : fields;
  const notice = (name: string | symbol) => {
    if (typeof name === 'string' && names.has(name)) seen(name);
  };

  const ends = Object.keys(real)
    .filter((name) => names.has(name))
    .map((name) => watchProperty(real, name, { seen: () => seen(name), quietly }));
  // `inspect` sees through a proxy, and would print accessors.
  const printed = () => {
    seen();
    return quietly(() => Object.assign(Object.create(Object.getPrototypeOf(real) as object | null), real) as unknown);
  };
  const endPrinting = Object.hasOwn(real, inspect.custom) ? undefined : define(real, inspect.custom, printed);

  const shown = new Proxy(real, {
    get(_, name) {
      if (name === behind) return real;
      notice(name);
      return Reflect.get(fields, name) as unknown;
    },
    has(_, name) {
      notice(name);
      return Reflect.has(fields, name);
    },
    getOwnPropertyDescriptor(_, name) {
      notice(name);
      const descriptor = Reflect.getOwnPropertyDescriptor(fields, name);
      if (descriptor?.get === undefined || descriptor.configurable !== true) return descriptor;
      const { enumerable } = descriptor;
      return { value: Reflect.get(fields, name) as unknown, writable: true, enumerable, configurable: true };
    },
    ownKeys() {
      seen();
      return Reflect.ownKeys(fields).filter((name) => name !== inspect.custom || endPrinting === undefined);
    },
    set: (_, name, value) => Reflect.set(fields, name, value),
    defineProperty: (_, name, descriptor) => Reflect.defineProperty(fields, name, descriptor),
    deleteProperty: (_, name) => Reflect.deleteProperty(fields, name),
  });

  const end = () => {
    for (const endOne of ends) endOne();
    endPrinting?.();
  };
  return { shown, end };
}

/** Returns what takes the hidden property away again; `undefined` if it cannot be put there. */
function define(target: object, name: symbol, value: unknown): (() => void) | undefined {
  const isDone = Reflect.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  return isDone ? () => void Reflect.deleteProperty(target, name) : undefined;
}
