/** Remembers how hot keys are written, so that a hit need not write its key again. */

import { encodeKey, type Key } from './key.ts';

/** Few and short keys only: this saves work on hot keys and must not become a store. */
const mostKeys = 4096;
const longestText = 128;
const mostParts = 4;

export class KnownKeys {
  readonly #prefix: string;
  readonly #strings = new Map<string, string>();
  readonly #tuples = new KnownTuples();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Returns the full key of `key` if it was written before. */
  find(key: Key): string | undefined {
    if (typeof key === 'string') return this.#strings.get(key);
    return Array.isArray(key) && key.length > 0 ? this.#tuples.find(key) : undefined;
  }

  /** Returns the full key of `key`. @throws {HotshelfError} `KEY_INVALID` */
  write(key: Key): string {
    const full = encodeKey(this.#prefix, key);
    // A long key is short once it is written as its digest; what is remembered is the key itself.
    if (full.length > this.#prefix.length + longestText || key.length > longestText) return full;
    if (typeof key !== 'string') this.#tuples.remember(key, full);
    else {
      if (this.#strings.size >= mostKeys) this.#strings.clear();
      this.#strings.set(key, full);
    }
    return full;
  }
}

/** The tuples that begin with the same parts. */
interface Branch {
  full: string | undefined;
  next: Map<unknown, Branch> | undefined;
}

/** Full keys of a few tuples of texts and numbers, such as `['city', 7]` or the arguments of a call, part by part. */
export class KnownTuples {
  #root: Branch = { full: undefined, next: undefined };
  #count = 0;

  find(parts: readonly unknown[]): string | undefined {
    // Most functions have one argument, and most keys two parts.
    if (parts.length === 1) return this.#root.next?.get(parts[0])?.full;
    if (parts.length === 2) return this.#root.next?.get(parts[0])?.next?.get(parts[1])?.full;
    let at: Branch | undefined = this.#root;
    for (let index = 0; index < parts.length && at !== undefined; index += 1) at = at.next?.get(parts[index]);
    return at?.full;
  }

  /** Passes over tuples that are long, and over parts that are objects: one that changes is another key. */
  remember(parts: readonly unknown[], full: string): void {
    if (parts.length > mostParts || !parts.every(isSimple)) return;
    if (this.#count >= mostKeys) {
      this.#root = { full: undefined, next: undefined };
      this.#count = 0;
    }
    let at = this.#root;
    for (const part of parts) {
      at.next ??= new Map<unknown, Branch>();
      const next: Branch = at.next.get(part) ?? { full: undefined, next: undefined };
      at.next.set(part, next);
      at = next;
    }
    if (at.full === undefined) this.#count += 1;
    at.full = full;
  }
}

function isSimple(part: unknown): boolean {
  return typeof part === 'string' || typeof part === 'number';
}
