/** Puts functions over those of a response, and takes them off again. */

export type Callable = (...args: unknown[]) => unknown;

export class Overlay {
  readonly #res: object;
  readonly #ours = new Map<string, Callable>();
  readonly #former = new Map<string, PropertyDescriptor | undefined>();

  constructor(res: object) {
    this.#res = res;
  }

  /** Puts `ours` over the function `name`, or in the place of another one of ours. */
  put(name: string, ours: Callable): void {
    if (!this.isTop(name)) this.#former.set(name, Object.getOwnPropertyDescriptor(this.#res, name));
    this.#ours.set(name, ours);
    Reflect.set(this.#res, name, ours);
  }

  /** Whether nobody has put another function over ours. */
  isTop(name: string): boolean {
    const ours = this.#ours.get(name);
    return ours !== undefined && Reflect.get(this.#res, name) === ours;
  }

  /** Takes our function off again; not where somebody has put another one over it. */
  remove(name: string): void {
    if (!this.isTop(name)) return;
    const former = this.#former.get(name);
    if (former === undefined) Reflect.deleteProperty(this.#res, name);
    else Object.defineProperty(this.#res, name, former);
  }

  removeAll(): void {
    for (const name of this.#ours.keys()) this.remove(name);
  }
}
