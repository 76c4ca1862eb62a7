/** Says in which bucket of time an instant lies, and which ones came before it. */

export interface Bucket {
  /** When it begins, in epoch ms. */
  readonly at: number;
  /** The end of its key: buckets of another length are other buckets. */
  readonly suffix: string;
}

/** Buckets of one length, of which so many are kept; they begin at whole multiples of their length since the epoch. */
export class Buckets {
  readonly keep: number;
  /** How long a key lives: until its bucket is certainly no longer one of those that are kept. */
  readonly lifetimeMs: number;
  readonly #bucketMs: number;

  constructor(bucketMs: number, keep: number) {
    this.keep = keep;
    this.lifetimeMs = bucketMs * keep;
    this.#bucketMs = bucketMs;
  }

  /** The bucket of `now`, in epoch ms. */
  current(now: number): Bucket {
    return this.#bucket(Math.floor(now / this.#bucketMs));
  }

  /** The last `count` buckets, the oldest first; that of `now` is the last one. */
  last(count: number, now: number): Bucket[] {
    const index = Math.floor(now / this.#bucketMs);
    return Array.from({ length: count }, (_, place) => this.#bucket(index - count + 1 + place));
  }

  #bucket(index: number): Bucket {
    return { at: index * this.#bucketMs, suffix: `${this.#bucketMs}:${index}` };
  }
}
