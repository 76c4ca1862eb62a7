/** Counts the calls that a store makes to its backend. */

import type { BackendWith, Values } from 'hotshelf';

export interface Trips {
  /** The verbs in the order of their calls. */
  readonly list: string[];
  /** Every key that was named, once. */
  readonly keys: string[];
  reset(): void;
}

/** `backend` with its values watched. */
export function counted<Wrapped extends BackendWith<'values'>>(
  backend: Wrapped,
): { readonly backend: Wrapped; readonly trips: Trips } {
  const trips: Trips = { list: [], keys: [], reset: () => void trips.list.splice(0) };
  const values = new Proxy<Values>(backend.values, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        trips.list.push(String(name));
        for (const key of [args[0]].flat()) if (!trips.keys.includes(String(key))) trips.keys.push(String(key));
        return value.apply(target, args);
      };
    },
  });
  return { backend: { ...backend, values }, trips };
}
