/** Remembers which names were dropped lately, in bounded memory and never with too early an answer. */

/** So many names are remembered at least, and twice as many at most. */
const remembered = 1024;

/**
 * Keeps the number of each name's last drop. Numbers only grow. What is forgotten counts as dropped together with the latest that was
 * forgotten: a question may be answered too cautiously, never too boldly.
 */
export class RecentDrops {
  // Two generations: to take the oldest names out of one map, one by one, would walk what was deleted before.
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #oldLatest = 0;
  #floor = 0;
  #latest = 0;

  /** The number of the last drop of any name. */
  get latest(): number {
    return this.#latest;
  }

  note(name: string, number: number): void {
    this.#young.set(name, number);
    this.#latest = number;
    if (this.#young.size < remembered) return;
    this.#floor = this.#oldLatest;
    this.#oldLatest = number;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Returns the number of the last drop of `name`, or a later one. */
  lastOf(name: string): number {
    return this.#young.get(name) ?? this.#old.get(name) ?? this.#floor;
  }

  /** Returns the number of the last drop of a name that `text` begins with, or a later one. */
  lastOfPrefix(text: string): number {
    let last = this.#floor;
    for (const names of [this.#old, this.#young])
      for (const [name, number] of names) if (number > last && text.startsWith(name)) last = number;
    return last;
  }

  /** Forgets all names: everything counts as dropped with `number`. */
  dropAll(number: number): void {
    this.#young.clear();
    this.#old.clear();
    this.#oldLatest = number;
    this.#floor = number;
    this.#latest = number;
  }
}
