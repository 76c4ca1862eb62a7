/** Tells listeners what happened; costs one comparison where nobody listens. */

export class Emitter<Event> {
  #listeners: readonly ((event: Event) => void)[] = [];

  /** True while somebody listens: events need not be built otherwise. */
  get observed(): boolean {
    return this.#listeners.length > 0;
  }

  /** Calls `listener` for each event from now on; the returned function ends that. */
  on(listener: (event: Event) => void): () => void {
    const own = (event: Event) => listener(event);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  /** A listener that throws is the listener's fault: it neither stops the others nor reaches the work that it watches. */
  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(`A listener of hotshelf threw: ${String(error)}`, { code: 'HOTSHELF_LISTENER' });
      }
    }
  }
}
