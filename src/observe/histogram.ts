/** Remembers how long things took, in few numbers: buckets that grow by a tenth. */

/** Bucket `index` holds spans up to `growth ** index / 100` ms: from 10 us to more than an hour. */
const growth = 1.1;
const buckets = 210;
const perLog = 1 / Math.log(growth);

/** Counts spans of time; answers how long most of them took, right to 10 % from 10 us to an hour. */
export class Histogram {
  readonly #counts = new Float64Array(buckets);
  #count = 0;
  #max = 0;

  /** Counts a span in ms. */
  record(ms: number): void {
    const index = Math.ceil(Math.log(Math.max(ms, 0.01) * 100) * perLog);
    const bucket = Math.min(Math.max(index, 0), buckets - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (ms > this.#max) this.#max = ms;
  }

  /** Counts all that `other` counted. */
  add(other: Histogram): void {
    for (let index = 0; index < buckets; index += 1) {
      this.#counts[index] = (this.#counts[index] ?? 0) + (other.#counts[index] ?? 0);
    }
    this.#count += other.#count;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Spans in ms that half, and 99 of 100, did not exceed; and the longest. 0 before the first. */
  summary(): { readonly p50: number; readonly p99: number; readonly max: number } {
    return { p50: this.#quantile(0.5), p99: this.#quantile(0.99), max: this.#max };
  }

  #quantile(share: number): number {
    const rank = Math.ceil(this.#count * share);
    if (rank === 0) return 0;
    let seen = 0;
    for (let index = 0; index < buckets; index += 1) {
      seen += this.#counts[index] ?? 0;
      if (seen >= rank) return Math.min(this.#max, growth ** index / 100);
    }
    return this.#max;
  }
}
