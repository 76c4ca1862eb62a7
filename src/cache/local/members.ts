/** Knows who listens to the announcements, and whether that is everybody. */

/** More than this can only be names that said no goodbye. */
const mostNames = 10_000;

/** The names of those who said hello or answered, with when that was heard last (monotonic, in ms). */
export class Members {
  readonly #seenAt = new Map<string, number>();
  #complete = false;
  #generation = 0;

  /** True when nobody can be trusted who is missing here: after a census, while every hello is heard. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Changes when hellos may have been missed: a census that was begun before it is void. */
  get generation(): number {
    return this.#generation;
  }

  get names(): readonly string[] {
    return [...this.#seenAt.keys()];
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

  /** Hellos may have been missed, or somebody is silent. */
  missed(): void {
    this.#complete = false;
    this.#generation += 1;
  }

  /** A census that was begun at `since` is over: whoever gave no sign since then is nobody. */
  counted(since: number): void {
    for (const [name, seenAt] of this.#seenAt) if (seenAt < since) this.#seenAt.delete(name);
    this.#complete = true;
  }
}
