/** Tells listeners what happened; costs one comparison where nobody listens. */

export class Emitter<Event> {
  #listeners: readonly ((event: Event) => void)[] = [];

  /** True while somebody listens: events need not be built otherwise. Changed by `on` alone. */
  observed = false;

  /** Calls `listener` for each event from now on; the returned function ends that. */
  on(listener: (event: Event) => void): () => void {
    const own = (event: Event) => listener(event);
    this.#set([...this.#listeners, own]);
    return () => this.#set(this.#listeners.filter((other) => other !== own));
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

  #set(listeners: readonly ((event: Event) => void)[]): void {
    this.#listeners = listeners;
    this.observed = listeners.length > 0;
  }
}
