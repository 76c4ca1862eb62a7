/** Gathers the loads of many keys into one: all that a read of many keys misses, and those of other such reads in the same tick. */

import { describe, HotshelfError } from '../../support/errors.ts';
import type { LoadContext, LoadResult } from '../load/ask.ts';

/** What the loader of many values is told. */
export interface BatchContext<Id> {
  /** Fires when the first of the loads is given up. */
  readonly signal: AbortSignal;
  /** The context of one id, to say its ttl, tags and so on. */
  readonly of: (id: Id) => LoadContext<never>;
}

/**
 * Asks the origin for many values at once. Returns a map, or a list in the order of `ids`. An id that the map does not have is
 * `undefined` and not cached; give it `null` to have its absence cached.
 */
export type BatchLoader<Id, Value> = (
  ids: readonly Id[],
  context: BatchContext<Id>,
) => Promise<BatchResult<Id, Value>> | BatchResult<Id, Value>;

export type BatchResult<Id, Value> =
  | ReadonlyMap<Id, LoadResult<Value> | undefined>
  | readonly (LoadResult<Value> | undefined)[];

interface Wanted<Id> {
  readonly context: LoadContext<never>;
  readonly id: Id;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The batches that still take part in this tick, by the prefix of their keys. */
export class Batches {
  readonly #open = new Map<string, Batch<never>>();

  /** Returns the batch of this tick for `prefix`; the first loader that is given for it and may be needed serves all. */
  of<Id>(prefix: string, load: BatchLoader<Id, unknown>): Batch<Id> {
    const open = this.#open.get(prefix);
    // One prefix has one type of ids, as one key has one type of values.
    if (open?.awaited === true) return open as unknown as Batch<Id>;
    const batch = new Batch(load);
    const opened = batch as unknown as Batch<never>;
    this.#open.set(prefix, opened);
    afterThisTick(() => {
      if (this.#open.get(prefix) === opened) this.#open.delete(prefix);
    });
    return batch;
  }
}

export class Batch<Id> {
  readonly #load: BatchLoader<Id, unknown>;
  /** Full keys of which nobody knows yet whether they need a load. */
  readonly #undecided = new Set<string>();
  #wanted: Wanted<Id>[] = [];
  #planned = false;

  constructor(load: BatchLoader<Id, unknown>) {
    this.#load = load;
  }

  /** True while a key may still need its load, so that another call can share it. */
  get awaited(): boolean {
    return this.#undecided.size > 0 || this.#wanted.length > 0;
  }

  /** Announces a key: the load waits until it is settled or loaded. */
  expect(key: string): void {
    this.#undecided.add(key);
  }

  /** Tells that `key` needs no load now. */
  settled(key: string): void {
    if (this.#undecided.delete(key)) this.#plan();
  }

  /** Loads `id` together with the others. */
  load(id: Id, context: LoadContext<never>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#undecided.delete(context.key);
      this.#wanted.push({ id, context, resolve, reject });
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#planned || this.#undecided.size > 0 || this.#wanted.length === 0) return;
    this.#planned = true;
    afterThisTick(() => {
      this.#planned = false;
      // Another read may have joined meanwhile; its last key plans again.
      if (this.#undecided.size === 0) void this.#run();
    });
  }

  async #run(): Promise<void> {
    const wanted = this.#wanted;
    const [first] = wanted;
    this.#wanted = [];
    if (first === undefined) return;
    const contexts = new Map(wanted.map(({ id, context }) => [id, context]));
    try {
      const ids = [...contexts.keys()];
      const result = await this.#load(ids, {
        get signal() {
          return first.context.signal;
        },
        of: (id) => contextOf(contexts, id),
      });
      const valueOf = reader(ids, result);
      for (const { id, resolve } of wanted) resolve(valueOf(id));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}

function contextOf<Id>(contexts: ReadonlyMap<Id, LoadContext<never>>, id: Id): LoadContext<never> {
  const context = contexts.get(id);
  if (context !== undefined) return context;
  throw new HotshelfError('KEY_INVALID', 'of() of a batch was asked for an id that is not loaded now.');
}

function reader<Id>(ids: readonly Id[], result: BatchResult<Id, unknown>): (id: Id) => unknown {
  if (result instanceof Map) return (id) => result.get(id);
  if (Array.isArray(result) && result.length === ids.length) {
    const values = new Map(ids.map((id, index) => [id, result[index]]));
    return (id) => values.get(id);
  }
  const got = Array.isArray(result) ? `a list of ${result.length} for ${ids.length} ids` : describe(result);
  throw new HotshelfError(
    'VALUE_INVALID',
    `Expected the loader of getMany() to return a Map, or a list with one value for each id, got ${got}.`,
  );
}

/** Runs `work` when everything that this tick started has had its turn. */
function afterThisTick(work: () => void): void {
  void Promise.resolve().then(() => process.nextTick(work));
}
