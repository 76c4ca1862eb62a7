/** Knows who listens to the announcements, and whether that is everybody. */

/** More than this can only be names that said no goodbye. */
const mostNames = 10_000;

/**
 * The names of those who said hello or answered lately, with when that was heard (monotonic, in ms).
 *
 * `complete` is true while nobody can be trusted and missing here: since a census every hello has been heard.
 */
export class Members {
  readonly #seenAt = new Map<string, number>();
  #complete = false;
  #generation = 0;

  get complete(): boolean {
    return this.#complete;
  }

  /** Changes when hellos may have been missed. */
  get generation(): number {
    return this.#generation;
  }

  get names(): Iterable<string> {
    return this.#seenAt.keys();
  }

  seen(name: string, now: number): void {
    if (this.#seenAt.size >= mostNames && !this.#seenAt.has(name)) {
      this.#seenAt.clear();
      this.missed();
    }
    this.#seenAt.set(name, now);
  }

  gone(name: string): void {
    this.#seenAt.delete(name);
  }

  /** Hellos may have been missed. */
  missed(): void {
    this.#complete = false;
    this.#generation += 1;
  }

  /** After a whole fence: forgets who gave no sign since `since`, and notes whether all who were asked have answered. */
  counted(since: number, complete: boolean): void {
    for (const [name, seenAt] of this.#seenAt) if (seenAt < since) this.#seenAt.delete(name);
    this.#complete = complete;
  }
}
