/** Adds up the first of many counts, in a time that grows with the logarithm of their number: a Fenwick tree. */

// Fenwick, "A new data structure for cumulative frequency tables" (1994).

export class PrefixSums {
  /** From 1 on, as the lowest bit of a place says how many counts are added up there. */
  #tree = new Int32Array(1);
  #length = 0;

  /** Takes these counts instead of those that were. */
  fill(counts: readonly { readonly length: number }[]): void {
    this.#length = counts.length;
    if (this.#tree.length <= this.#length || this.#tree.length > 4 * this.#length + 64)
      this.#tree = new Int32Array(2 * this.#length + 1);
    const tree = this.#tree;
    for (let place = 1; place <= this.#length; place += 1) tree[place] = counts[place - 1]?.length ?? 0;
    for (let place = 1; place <= this.#length; place += 1) {
      const above = place + (place & -place);
      if (above <= this.#length) tree[above] = (tree[above] ?? 0) + (tree[place] ?? 0);
    }
  }

  /** Adds `by` to the count at `index`. */
  add(index: number, by: number): void {
    const tree = this.#tree;
    for (let place = index + 1; place <= this.#length; place += place & -place) tree[place] = (tree[place] ?? 0) + by;
  }

  /** Returns the sum of the first `index` counts. */
  before(index: number): number {
    const tree = this.#tree;
    let sum = 0;
    for (let place = index; place > 0; place -= place & -place) sum += tree[place] ?? 0;
    return sum;
  }

  /** Returns how many of the first counts have a sum of at most `sum`. */
  within(sum: number): number {
    const tree = this.#tree;
    let place = 0;
    for (let step = 2 ** Math.floor(Math.log2(this.#length || 1)); step >= 1; step /= 2) {
      const next = place + step;
      if (next > this.#length || (tree[next] ?? 0) > sum) continue;
      place = next;
      sum -= tree[next] ?? 0;
    }
    return place;
  }
}
