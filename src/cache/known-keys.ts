/** Remembers how hot keys are written, so that a hit need not write its key again. */

import { encodeKey, type Key } from './key.ts';

/** Few and short keys only: this saves work on hot keys and must not become a store. */
const mostKeys = 4096;
const longestText = 64;

export class KnownKeys {
  readonly #prefix: string;
  readonly #strings = new Map<string, string>();
  /** Tuples of a text and a text or number, such as `['city', 7]`, by their parts. */
  readonly #pairs = new Map<string, Map<string | number, string>>();
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Returns the full key of `key` if it was written before. */
  find(key: Key): string | undefined {
    if (typeof key === 'string') return this.#strings.get(key);
    if (!Array.isArray(key) || key.length !== 2) return undefined;
    return this.#pairs.get(key[0] as string)?.get(key[1] as string | number);
  }

  /** Returns the full key of `key`. @throws {HotshelfError} `KEY_INVALID` */
  write(key: Key): string {
    const full = encodeKey(this.#prefix, key);
    if (full.length > this.#prefix.length + longestText) return full;
    if (typeof key === 'string') this.#remember(this.#strings, key, full);
    else {
      const [first, second] = key;
      const isPair = key.length === 2 && (typeof second === 'string' || typeof second === 'number');
      if (isPair && typeof first === 'string') this.#remember(this.#seconds(first), second, full);
    }
    return full;
  }

  #seconds(first: string): Map<string | number, string> {
    const seconds = this.#pairs.get(first) ?? new Map<string | number, string>();
    this.#pairs.set(first, seconds);
    return seconds;
  }

  #remember<Part>(known: Map<Part, string>, part: Part, full: string): void {
    if (this.#count >= mostKeys) {
      this.#strings.clear();
      this.#pairs.clear();
      this.#count = 0;
    }
    this.#count += 1;
    known.set(part, full);
  }
}
