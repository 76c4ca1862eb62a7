/** Remembers which tags the entries of hot keys had, so that the next read can ask for them in the same trip. */

const mostKeys = 10_000;
const none: readonly string[] = [];

/** Only a guess: an entry is always judged by the tags that it names itself. */
export class TagHints {
  readonly #tags = new Map<string, readonly string[]>();

  /** Returns `tags` and those that the entry of `key` had, each once. */
  add(key: string, tags: readonly string[]): readonly string[] {
    if (this.#tags.size === 0) return tags;
    const own = this.#tags.get(key) ?? none;
    return own.length === 0 ? tags : tags.length === 0 ? own : [...new Set([...tags, ...own])];
  }

  remember(key: string, tags: readonly string[]): void {
    if (this.#tags.size >= mostKeys) this.#tags.clear();
    this.#tags.set(key, tags);
  }
}
