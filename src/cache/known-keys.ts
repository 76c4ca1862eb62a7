/** Remembers how hot keys are written, so that a hit need not write its key again. */

import { encodeKey, type Key } from './key.ts';

/** Few and short keys only: this saves work on hot keys and must not become a store. */
const mostKeys = 4096;
const longestText = 64;
const mostParts = 4;

/** The tuples that begin with the same parts. */
interface Branch {
  full: string | undefined;
  next: Map<unknown, Branch> | undefined;
}

export class KnownKeys {
  readonly #prefix: string;
  readonly #strings = new Map<string, string>();
  /** Tuples of a few simple parts, such as `['city', 7]`, part by part. */
  #tuples = branch();
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Returns the full key of `key` if it was written before. */
  find(key: Key): string | undefined {
    if (typeof key === 'string') return this.#strings.get(key);
    if (!Array.isArray(key)) return undefined;
    let at: Branch | undefined = this.#tuples;
    for (let index = 0; index < key.length && at !== undefined; index += 1) at = at.next?.get(key[index]);
    return at?.full;
  }

  /** Returns the full key of `key`. @throws {HotshelfError} `KEY_INVALID` */
  write(key: Key): string {
    const full = encodeKey(this.#prefix, key);
    if (full.length > this.#prefix.length + longestText) return full;
    if (typeof key === 'string') {
      this.#makeRoom();
      this.#strings.set(key, full);
    } else if (key.length <= mostParts && key.every(isSimple)) {
      this.#makeRoom();
      this.#rememberTuple(key, full);
    }
    return full;
  }

  #rememberTuple(key: readonly unknown[], full: string): void {
    let at = this.#tuples;
    for (const part of key) {
      at.next ??= new Map<unknown, Branch>();
      const next = at.next.get(part) ?? branch();
      at.next.set(part, next);
      at = next;
    }
    at.full = full;
  }

  #makeRoom(): void {
    if (this.#count >= mostKeys) {
      this.#strings.clear();
      this.#tuples = branch();
      this.#count = 0;
    }
    this.#count += 1;
  }
}

function branch(): Branch {
  return { full: undefined, next: undefined };
}

/** An object is another key when it changes. */
function isSimple(part: unknown): boolean {
  return typeof part === 'string' || typeof part === 'number';
}
