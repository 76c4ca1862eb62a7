/** Tells when a property of an object is read, and leaves it as it is in all else. */

export interface Watching {
  /** Called at each reading, also of a property that is not there. */
  readonly seen: () => void;
  /** Gives readers something else than the value. */
  readonly shown?: (value: unknown) => unknown;
  /** Runs what is not to be noticed. */
  readonly quietly: <Result>(work: () => Result) => Result;
}

/**
 * Puts an accessor in the place of the property, whether it is there or not, and returns what puts everything back, as it would
 * be without the accessor: what was assigned meanwhile stays assigned, what was deleted stays deleted.
 *
 * Assigning is not reading. A property that cannot be watched counts as read. The one difference: `in` finds a property that is
 * not there.
 */
export function watchProperty(target: object, name: string, { seen, shown, quietly }: Watching): () => void {
  /** What would stand there without the accessor. */
  let own = Object.getOwnPropertyDescriptor(target, name);

  function get(this: unknown): unknown {
    seen();
    const value = shown === undefined ? valueFor(this) : quietly(() => valueFor(this));
    return shown === undefined ? value : shown(value);
  }

  function valueFor(self: unknown): unknown {
    if (own === undefined) return inherited(target, name, self);
    return own.get === undefined && own.set === undefined ? own.value : own.get?.call(self);
  }

  function set(this: unknown, value: unknown): void {
    const self = typeof this === 'object' && this !== null ? this : target;
    const former = own ?? descriptorOf(Object.getPrototypeOf(target), name);
    if (former !== undefined && (former.get !== undefined || former.set !== undefined)) former.set?.call(self, value);
    else if (former?.writable === false) return;
    else if (self !== target) Object.defineProperty(self, name, { ...plain, value });
    else {
      own = { ...(own ?? plain), value };
      // As any property that comes into being by an assignment.
      if (isOurs()) Object.defineProperty(target, name, { get, set, enumerable: own.enumerable, configurable: true });
    }
  }

  const isOurs = () => Object.getOwnPropertyDescriptor(target, name)?.get === get;

  const enumerable = own?.enumerable === true;
  if (
    own?.configurable === false ||
    !Reflect.defineProperty(target, name, { get, set, enumerable, configurable: true })
  ) {
    seen();
    return () => {};
  }
  return () => {
    if (!isOurs()) return;
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Reflect.defineProperty(target, name, own);
  };
}

const plain = { writable: true, enumerable: true, configurable: true };

function inherited(target: object, name: string, self: unknown): unknown {
  const parent: object | null = Object.getPrototypeOf(target);
  return parent === null ? undefined : Reflect.get(parent, name, self);
}

function descriptorOf(start: unknown, name: string): PropertyDescriptor | undefined {
  for (let at = start; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
