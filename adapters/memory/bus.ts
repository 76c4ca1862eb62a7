/** The bus facet in this process: messages reach every listener a microtask later, in order, and no gap can be. */

import type { Bus, SubscribeOptions, Subscription } from '../../src/backend/bus.ts';
import type { Timer } from '../../src/support/clock.ts';
import type { Store } from './store.ts';

const probeEveryMs = 1000;

interface Ear {
  open: boolean;
  readonly listener: (message: string) => void;
  readonly onProbe: ((sentAgoMs: number) => void) | undefined;
  readonly everyMs: number;
  timer: Timer | undefined;
}

export class MemoryBus implements Bus {
  readonly ordered = true;
  readonly #store: Store;
  readonly #topics = new Map<string, Set<Ear>>();

  constructor(store: Store) {
    this.#store = store;
  }

  async publish(topic: string, message: string): Promise<number> {
    this.#store.checkOpen();
    const ears = this.#topics.get(topic);
    if (ears === undefined) return 0;
    // Whoever begins to listen from here on was not counted.
    const counted = [...ears];
    queueMicrotask(() => {
      for (const ear of counted) if (ear.open) call(() => ear.listener(message));
    });
    return counted.length;
  }

  async subscribe(
    topic: string,
    listener: (message: string) => void,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    this.#store.checkOpen();
    const ears = this.#topics.get(topic) ?? new Set<Ear>();
    this.#topics.set(topic, ears);
    const { onProbe, probeEveryMs: everyMs = probeEveryMs } = options;
    const ear: Ear = { open: true, listener, onProbe, everyMs, timer: undefined };
    ears.add(ear);
    if (onProbe !== undefined) this.#store.clock.turn(() => this.#probe(ear));
    return {
      close: async () => {
        end(ear);
        ears.delete(ear);
        if (ears.size === 0 && this.#topics.get(topic) === ears) this.#topics.delete(topic);
      },
    };
  }

  /** Ends every subscription. */
  close(): void {
    for (const ears of this.#topics.values()) for (const ear of ears) end(ear);
    this.#topics.clear();
  }

  /** Messages take a microtask: whatever was published in an earlier turn was heard. */
  #probe(ear: Ear): void {
    if (!ear.open) return;
    call(() => ear.onProbe?.(0));
    ear.timer = this.#store.clock.after(ear.everyMs, () => this.#probe(ear), { background: true });
  }
}

function end(ear: Ear): void {
  ear.open = false;
  ear.timer?.cancel();
}

/** A listener that throws is the listener's fault: the others still hear. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.emitWarning(`A listener of the hotshelf bus threw: ${String(error)}`, { code: 'HOTSHELF_LISTENER' });
  }
}
