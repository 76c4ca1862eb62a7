/** Tells Node's diagnostics channels what caches do, at no cost while nobody listens there. */

import { channel, tracingChannel } from 'node:diagnostics_channel';
import { Emitter } from '../support/emitter.ts';
import type { CacheEvent } from './events.ts';

/** What a load is about. */
export interface LoadAbout {
  /** The name of the namespace. */
  readonly cache: string;
  /** The full key. */
  readonly key: string;
  /** True where no caller waits for the load. */
  readonly behind: boolean;
}

/**
 * What subscribers of the tracing channel `hotshelf:load` get: one object a load, the same at its start and its end. The value
 * that was loaded is not in it.
 */
export interface LoadMessage extends LoadAbout {
  /** What the loader threw; there at `error` and after it. */
  readonly error?: unknown;
  /**
   * At `start` only: has `inContext` run the load, so that what the loader does belongs to a span, or finds an
   * `AsyncLocalStorage` set. It must call `load` once and at once; the promise that it gets rejects as the load does.
   */
  readonly wrap: (inContext: (load: () => Promise<void>) => Promise<void>) => void;
}

const loads = tracingChannel<unknown, LoadMessage>('hotshelf:load');
const events = channel('hotshelf:event');

/** Returns what `load` returns, and tells of it on the tracing channel `hotshelf:load`. `load` must not throw but reject. */
export function traceLoad<Value>(about: LoadAbout, load: () => Promise<Value>): Promise<Value> {
  return loads.hasSubscribers ? traced(about, load) : load();
}

async function traced<Value>(about: LoadAbout, load: () => Promise<Value>): Promise<Value> {
  let loading: Promise<Value> | undefined;
  const begin = () => (loading ??= (async () => load())());
  let run = async (): Promise<void> => void (await begin());
  const message: LoadMessage = {
    ...about,
    wrap: (inContext) => {
      const inner = run;
      run = () => inContext(inner);
    },
  };
  await loads.tracePromise(() => {
    watch(run);
    // The channel publishes what this resolves with, and values are nobody's business.
    return begin().then(() => undefined);
  }, message);
  return begin();
}

/** Those who wrap a load only watch it: what they make of its error is ignored, and their own stop nothing. */
function watch(run: () => Promise<void>): void {
  try {
    run().catch(() => undefined);
  } catch (error) {
    process.emitWarning(`A subscriber of hotshelf:load threw: ${String(error)}`, { code: 'HOTSHELF_LISTENER' });
  }
}

/** Tells the listeners of one cache, and the channel `hotshelf:event`. */
export class CacheEvents {
  readonly #listeners = new Emitter<CacheEvent>();

  /** True while somebody listens, here or on the channel: events need not be built otherwise. */
  get observed(): boolean {
    return this.#listeners.observed || events.hasSubscribers;
  }

  /** As `Emitter.on`. */
  on(listener: (event: CacheEvent) => void): () => void {
    return this.#listeners.on(listener);
  }

  /** As `Emitter.emit`; subscribers of the channel that throw are Node's to report. */
  emit(event: CacheEvent): void {
    this.#listeners.emit(event);
    if (events.hasSubscribers) events.publish(event);
  }
}
