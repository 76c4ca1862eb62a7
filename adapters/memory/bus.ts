/** The bus facet in this process: messages reach every listener a microtask later, in order, and no gap can be. */

import type { Bus, Subscription } from '../../src/backend/bus.ts';
import { Emitter } from '../../src/support/emitter.ts';
import type { Store } from './store.ts';

export class MemoryBus implements Bus {
  readonly #store: Store;
  readonly #topics = new Map<string, Emitter<string>>();

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(topic: string, message: string): Promise<void> {
    this.#store.checkOpen();
    if (this.#topics.has(topic)) queueMicrotask(() => this.#topics.get(topic)?.emit(message));
  }

  async subscribe(topic: string, listener: (message: string) => void): Promise<Subscription> {
    this.#store.checkOpen();
    const emitter = this.#topics.get(topic) ?? new Emitter<string>();
    this.#topics.set(topic, emitter);
    let open = true;
    const stop = emitter.on((message) => {
      if (open) listener(message);
    });
    return {
      close: async () => {
        open = false;
        stop();
        if (!emitter.observed && this.#topics.get(topic) === emitter) this.#topics.delete(topic);
      },
    };
  }

  /** Ends every subscription. */
  close(): void {
    this.#topics.clear();
  }
}
