/** Changes what a cache holds: sets, invalidates, clears, and mutates the truth with its copies. */

import type { Stored } from '../../backend/values.ts';
import { open } from '../../codec/envelope.ts';
import { sleep } from '../../support/clock.ts';
import { HotshelfError, isUnconfirmed, UnconfirmedError } from '../../support/errors.ts';
import { decide, type Sight } from '../read/decide.ts';
import { type Encoded, encodeEntry, type EntryInput } from '../read/entry.ts';
import { Hold } from './hold.ts';
import type { Drop } from '../local/message.ts';
import { under } from './news.ts';
import { type Policy, withTags } from '../policy.ts';
import type { Shelf } from '../shelf.ts';
import type { Space } from '../space.ts';
import { soften } from './soft.ts';

/** So often a versioned `set` is tried against other writers of the key. */
const mostAttempts = 50;

/** What a change is to do, all checked. */
export interface InvalidatePlan {
  readonly soft: boolean;
  readonly ack: boolean | undefined;
}

export interface MutatePlan {
  readonly keys: readonly string[];
  readonly tags: readonly string[];
  readonly settleMs: number;
  readonly strict: boolean;
  readonly ack: boolean | undefined;
}

export class Writer {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Stores an entry; `false` if one with a larger user version is there. */
  async set(space: Space, input: SetInput): Promise<boolean> {
    this.#checkOpen();
    const { key, value, policy } = input;
    // Before anything is sent, so that a bad value is refused even while the backend is down; the entry needs what is sent.
    const renewed = refuseTooLarge(encodeEntry(space, { ...input, scope: new Uint32Array(2) }));
    const tags = tagsOf(space, value, policy);
    return this.#confirmed(space, { keys: [key] }, undefined, async () => {
      const scope = await space.scope();
      const at = tags.length === 0 ? undefined : await this.#instant(tags);
      const full = { ...input, scope, tags, at, renewed, ttlMs: renewed.ttlMs };
      const encoded = refuseTooLarge(encodeEntry(space, full));
      space.counts.bytesWritten += encoded.payload.length;
      if (input.userVersion !== undefined) return this.#setNewer(full, input.userVersion, encoded);
      await this.#shelf.values.set(key, encoded.bytes, encoded.lifetimeMs);
      return true;
    });
  }

  /** Deletes, or softens; returns how many there were. */
  invalidate(space: Space, keys: readonly string[], { soft, ack }: InvalidatePlan): Promise<number> {
    this.#checkOpen();
    const { values } = this.#shelf;
    if (!soft) return this.#confirmed(space, { keys }, ack, () => values.delete(keys), { oneCommand: true });
    return this.#confirmed(space, { keys }, ack, async () => {
      const found = await Promise.all(keys.map((key) => soften(this.#shelf, key)));
      return found.filter(Boolean).length;
    });
  }

  invalidateTags(space: Space, tags: readonly string[], { soft, ack }: InvalidatePlan): Promise<void> {
    this.#checkOpen();
    return this.#confirmed(space, { tags }, ack, () => this.#shelf.tags.invalidate(tags, soft));
  }

  async clear(space: Space): Promise<void> {
    this.#checkOpen();
    const drop = { prefixes: under(space.prefix) };
    await this.#confirmed(space, drop, undefined, () => space.clear());
  }

  /** Holds the keys, writes, waits for replicas, frees the keys. */
  async mutate<Result>(
    space: Space,
    plan: MutatePlan,
    write: (hold: (keys: readonly string[], tags: readonly string[]) => Promise<void>) => Promise<Result> | Result,
  ): Promise<Result> {
    this.#checkOpen();
    const hold = new Hold(this.#shelf);
    const holding: Promise<void>[] = [];
    let over = false;
    const add = async (keys: readonly string[], tags: readonly string[]): Promise<void> => {
      if (over) return this.#invalidateBoth(space, keys, tags, plan.ack);
      const held = this.#hold(hold, keys, tags);
      holding.push(held);
      return held;
    };
    await add(plan.keys, plan.tags);
    let result: Result;
    let failure: HotshelfError | undefined;
    try {
      result = await write(add);
    } finally {
      // Also after a write that failed: nobody knows how much of it the database kept.
      if (plan.settleMs > 0) await sleep(this.#shelf.clock, plan.settleMs);
      over = true;
      // A hold that the write did not wait for must not come after its end.
      await Promise.allSettled(holding);
      failure = await this.#release(space, hold, plan);
    }
    if (failure === undefined || !plan.strict) return result;
    const { keys, tags } = hold.held;
    const count = keys.length + tags.length;
    throw new UnconfirmedError(
      `The write in ${space.name} is done, but ${count} cached ${count === 1 ? 'key or tag was' : 'keys and tags were'} not confirmed to be gone; hotshelf goes on trying. \`result\` of this error is what the write returned.`,
      result,
      { cause: failure },
    );
  }

  /** What a write names when it is over has nothing left to hold. */
  async #invalidateBoth(
    space: Space,
    keys: readonly string[],
    tags: readonly string[],
    ack: boolean | undefined,
  ): Promise<void> {
    if (keys.length > 0) await this.invalidate(space, keys, { soft: false, ack });
    if (tags.length > 0) await this.invalidateTags(space, tags, { soft: false, ack });
  }

  /** Holds, and tells local tiers to drop: then nothing old is left if this process dies before it could say so again. */
  async #hold(hold: Hold, keys: readonly string[], tags: readonly string[]): Promise<void> {
    if (keys.length + tags.length === 0) return;
    const drop = { keys, tags };
    this.#shelf.news.dropHere(drop);
    // A backend that does not answer now is no reason not to write: what counts is whether it confirms the end.
    await asFailure(async () => {
      await hold.add(keys, tags);
      await this.#shelf.news.tell(drop, false);
    });
  }

  async #release(space: Space, hold: Hold, { ack }: MutatePlan): Promise<HotshelfError | undefined> {
    const drop = hold.held;
    if (drop.keys.length + drop.tags.length === 0) return undefined;
    const failure = await asFailure(async () => {
      await hold.end();
      await this.#shelf.news.tell(drop, ack);
    });
    if (failure === undefined) this.#noteInvalidated(space, drop);
    else this.#rememberUnconfirmed(space, drop, failure);
    return failure;
  }

  async #setNewer({ key, scope }: EntryInput, userVersion: number, encoded: Encoded): Promise<boolean> {
    const { values } = this.#shelf;
    const { bytes, lifetimeMs } = encoded;
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const stored = await values.get(key);
      const sight: Sight = stored === undefined ? { kind: 'absent' } : this.#decide(key, stored, scope);
      const isEntry = sight.kind === 'hit' || sight.kind === 'stale';
      if (isEntry && (sight.entry.userVersion ?? -Infinity) > userVersion) return false;
      const written =
        stored === undefined
          ? await values.add(key, bytes, lifetimeMs)
          : await values.cas(key, stored.version, bytes, lifetimeMs);
      if (written !== undefined) return true;
    }
    await values.delete([key]);
    return false;
  }

  /** Tags say nothing of a version: an entry that they ended still knows which one it had. */
  #decide(key: string, stored: Stored, scope: EntryInput['scope']): Sight {
    return decide(open(key, stored.bytes), stored.version, scope, 'valid', this.#shelf.clock.now());
  }

  async #instant(tags: readonly string[]) {
    const { tags: all } = this.#shelf;
    const { known } = all;
    const at = await all.ready(tags, await all.read(tags), known);
    // What is set while a tag is held counts as from before its end: nobody knows which of the two is newer.
    return at === 'held' ? (known ?? all.known) : at;
  }

  /**
   * Carries a change out and tells of it; remembers it if the backend did not confirm.
   *
   * @param oneCommand true for a change that is sent at once: where messages keep their order they need not wait for its answer
   */
  async #confirmed<Result>(
    space: Space,
    drop: Drop,
    ack: boolean | undefined,
    change: () => Promise<Result>,
    { oneCommand = false } = {},
  ): Promise<Result> {
    const { news, backend } = this.#shelf;
    news.dropHere(drop);
    try {
      const changing = change();
      if (!oneCommand || backend.bus?.ordered !== true) await changing;
      const [result] = await Promise.all([changing, news.tell(drop, ack)]);
      // What a read brought in before the change was applied; this process shall not have to wait for its own message.
      news.dropHere(drop);
      this.#noteInvalidated(space, drop);
      return result;
    } catch (error) {
      if (isUnconfirmed(error)) this.#rememberUnconfirmed(space, drop, error);
      throw error;
    }
  }

  #rememberUnconfirmed(space: Space, { keys = [], tags = [], prefixes = [] }: Drop, error: HotshelfError): void {
    const { unconfirmed, events } = this.#shelf;
    if (keys.length > 0) unconfirmed.addKeys(keys, space);
    if (tags.length > 0) unconfirmed.addTags(tags, space);
    if (prefixes.length > 0) unconfirmed.addSpace(space);
    const count = keys.length + tags.length + (prefixes.length > 0 ? 1 : 0);
    events.emit({ type: 'unconfirmed', cache: space.name, keys: count, error });
  }

  #noteInvalidated(space: Space, { keys = [], tags = [], prefixes = [] }: Drop): void {
    const { events } = this.#shelf;
    if (!events.observed) return;
    const counts = { keys: keys.length, tags: tags.length, cleared: prefixes.length > 0 };
    events.emit({ type: 'invalidate', cache: space.name, ...counts });
  }

  #checkOpen(): void {
    if (this.#shelf.closed)
      throw new HotshelfError('CLOSED', 'The cache was closed; nothing can be changed through it.');
  }
}

export type SetInput = Pick<EntryInput, 'key' | 'value' | 'policy' | 'userVersion'>;

function tagsOf(space: Space, value: unknown, policy: Policy): readonly string[] {
  const { keyOf } = space.shelf.tags;
  return policy.tagsOf.reduce((tags, of) => withTags(tags, of(value as never), keyOf), policy.tags);
}

function refuseTooLarge(encoded: ReturnType<typeof encodeEntry>): Encoded {
  if (encoded instanceof HotshelfError) throw encoded;
  return encoded;
}

/** Returns the error with which the backend answered, if it did. */
async function asFailure(work: () => Promise<unknown>): Promise<HotshelfError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof HotshelfError) return error;
    throw error;
  }
}
