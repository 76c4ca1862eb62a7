/** Asks the origin: calls a loader, tells it what it may know, and hears what it has to say besides the value. */

import type { Opened } from '../../codec/envelope.ts';
import { fits } from '../../codec/standard-schema.ts';
import { traceLoad } from '../../observe/channels.ts';
import type { BypassReason } from '../../observe/events.ts';
import { type Duration, durationMs } from '../../support/duration.ts';
import { describe, HotshelfError } from '../../support/errors.ts';
import { ageMs } from '../read/decide.ts';
import type { Key } from '../key.ts';
import { Skipped, Unchanged } from './outcome.ts';
import { type Policy, withTags } from '../policy.ts';
import type { Space } from '../space.ts';
import { loadTimeout } from './time-limit.ts';

/** An earlier value that may still help. */
export interface StaleValue<Value> {
  readonly value: Value;
  /** What the loader of that value called its state, by `etag()`. */
  readonly etag: string | undefined;
  /** How long ago it was loaded, in ms. */
  readonly ageMs: number;
}

/** What a loader is told, and what it may say. */
export interface LoadContext<Value = unknown> {
  /** The full key that is being loaded. */
  readonly key: string;
  /** Fires after `timeout.hard`: what comes later is thrown away. */
  readonly signal: AbortSignal;
  /** The entry that this load replaces, if there is one within its ttl or its grace. */
  readonly stale: StaleValue<Value> | undefined;
  /** Why this load goes past the cache and will not be stored; `undefined` where it will. */
  readonly bypass: BypassReason | undefined;
  /** How long this value is fresh. @throws {HotshelfError} `OPTION_INVALID` */
  readonly ttl: (ttl: Duration) => void;
  /** How long it may help after that, to readers who allow as much. @throws {HotshelfError} `OPTION_INVALID` */
  readonly grace: (grace: Duration) => void;
  /** Adds labels to this value. @throws {HotshelfError} `KEY_INVALID` */
  readonly tag: (...tags: Key[]) => void;
  /** Names this state of the value, at most 1,024 bytes of text, for the `stale` of the next load. */
  readonly etag: (etag: string) => void;
  /** To be returned: the origin says that the stale value is still true, and it is fresh again. */
  readonly unchanged: () => Unchanged;
  /** To be returned: hands `value` out without storing it. */
  readonly skip: <Other>(value: Other) => Skipped<Other>;
}

/**
 * What a loader may return. `undefined` means "there is nothing to cache", and ends a stale entry too; `null` is a value like
 * any other, with its own ttl.
 */
export type LoadResult<Value> = Value | Skipped<Value> | Unchanged;

/** Asks the origin. */
export type Loader<Value> = (context: LoadContext<Value>) => Promise<LoadResult<Value>> | LoadResult<Value>;

/** A loader whose type of value nobody knows any more: it only ever meets earlier values of its own key. */
export type ErasedLoader = (context: LoadContext<never>) => unknown;

/** One question to the origin. */
export interface Question {
  readonly space: Space;
  readonly key: string;
  readonly load: ErasedLoader;
  readonly policy: Policy;
}

export interface Circumstances {
  /** The entry that this load replaces. */
  readonly earlier?: Opened | undefined;
  /** True where no caller waits. */
  readonly behind?: boolean;
  readonly bypass?: BypassReason;
}

/** What the origin said. */
export interface Answer {
  readonly value: unknown;
  /** False for what the loader wants to hand out only. */
  readonly storable: boolean;
  /** All tags of the value, as full keys. */
  readonly tags: readonly string[];
  readonly etag: string | undefined;
  readonly loadMs: number;
  readonly ttlMs: number | undefined;
  readonly graceMs: number | undefined;
  /** The earlier entry, if its value is still true. */
  readonly renewed: Opened | undefined;
}

/** Calls the loader. Rejects as it does, or with `CACHE_LOAD_TIMEOUT`. */
export async function ask(question: Question, circumstances: Circumstances = {}): Promise<Answer> {
  const { space, key } = question;
  const { behind = false } = circumstances;
  const { clock, events } = space.shelf;
  const context = new Context(question, circumstances);
  const startedAt = clock.monotonic();
  let failed = true;
  let error: unknown;
  space.counts.loads += 1;
  try {
    const result = await traceLoad({ cache: space.name, key, behind }, async () => context.run());
    const answer = context.answer(result, clock.monotonic() - startedAt);
    failed = false;
    return answer;
  } catch (cause) {
    error = cause;
    throw cause;
  } finally {
    const ms = clock.monotonic() - startedAt;
    space.counts.loadMs.record(ms);
    if (failed) space.counts.failedLoads += 1;
    if (events.observed) {
      events.emit({ type: 'load', cache: space.name, key, ms, failed, behind, ...(failed && { error }) });
    }
  }
}

/** Its functions can be taken out of it, as in `({ tag, signal }) => …`. */
class Context implements LoadContext<never> {
  readonly key: string;
  readonly bypass: BypassReason | undefined;
  readonly #question: Question;
  readonly #earlier: Opened | undefined;
  #controller: AbortController | undefined;
  #stale: StaleValue<never> | undefined;
  #tags: readonly string[];
  #ttlMs: number | undefined;
  #graceMs: number | undefined;
  #etag: string | undefined;

  constructor(question: Question, { earlier, bypass }: Circumstances) {
    this.key = question.key;
    this.bypass = bypass;
    this.#question = question;
    this.#earlier = earlier;
    this.#tags = question.policy.tags;
  }

  /** Made when it is asked for: most loaders never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get stale(): StaleValue<never> | undefined {
    if (this.#earlier !== undefined) this.#stale ??= staleValue(this.#question, this.#earlier);
    return this.#stale;
  }

  readonly ttl = (ttl: Duration): void => {
    this.#ttlMs = Math.ceil(durationMs(ttl, 'ttl() of a loader'));
  };

  readonly grace = (grace: Duration): void => {
    this.#graceMs = Math.ceil(durationMs(grace, 'grace() of a loader', { orZero: true }));
  };

  readonly tag = (...tags: Key[]): void => {
    this.#tags = withTags(this.#tags, tags, this.#question.space.shelf.tags.keyOf);
  };

  readonly etag = (etag: string): void => {
    if (typeof etag !== 'string' || Buffer.byteLength(etag) > 1024) {
      throw new HotshelfError(
        'OPTION_INVALID',
        `Expected an etag to be text of at most 1024 bytes, got ${describe(etag)}.`,
      );
    }
    this.#etag = etag;
  };

  readonly unchanged = (): Unchanged => new Unchanged();

  readonly skip = <Other>(value: Other): Skipped<Other> => new Skipped(value);

  /** Calls the loader, for `timeout.hard` at the most. */
  run(): unknown {
    const { load, policy, space } = this.#question;
    const { hardMs } = policy;
    if (hardMs === Infinity) return load(this);
    return new Promise<unknown>((resolve, reject) => {
      const timer = space.shelf.clock.after(hardMs, () => {
        const error = loadTimeout(this.#question);
        // A loader may ask for its signal only later, and must not begin anything then.
        this.#controller ??= new AbortController();
        this.#controller.abort(error);
        reject(error);
      });
      const end = () => timer.cancel();
      const loading = (async () => load(this))();
      loading.then(resolve, reject).finally(end);
    });
  }

  /** @throws {HotshelfError} `VALUE_INVALID` for `unchanged()` where there was nothing before. */
  answer(result: unknown, loadMs: number): Answer {
    const said = { etag: this.#etag, loadMs, ttlMs: this.#ttlMs, graceMs: this.#graceMs, renewed: undefined };
    if (result instanceof Skipped) return { ...said, value: result.value, storable: false, tags: this.#tags };
    if (result instanceof Unchanged) return this.#renewed(said);
    const { policy, space } = this.#question;
    let tags = this.#tags;
    if (result !== undefined) {
      for (const tagsOf of policy.tagsOf) tags = withTags(tags, tagsOf(result as never), space.shelf.tags.keyOf);
    }
    return { ...said, value: result, storable: result !== undefined, tags };
  }

  #renewed(said: Omit<Answer, 'value' | 'storable' | 'tags'>): Answer {
    const { stale } = this;
    if (stale === undefined || this.#earlier === undefined) {
      throw new HotshelfError(
        'VALUE_INVALID',
        'A loader returned unchanged(), but there is no earlier value. Call it only when `stale` is there.',
      );
    }
    const tags = [...new Set([...this.#tags, ...this.#earlier.tags])];
    const etag = said.etag ?? this.#earlier.etag;
    return { ...said, value: stale.value, storable: true, tags, etag, renewed: this.#earlier };
  }
}

/** Nothing that a reader would not get either: a loader could say of it that it is still true. */
function staleValue({ space, policy }: Question, earlier: Opened): StaleValue<never> | undefined {
  const { clock } = space.shelf;
  const { codec } = space.policy;
  if (earlier.codec !== codec.id) return undefined;
  try {
    const value = codec.decode(earlier.payload, earlier.flags, earlier.key);
    if (policy.schema !== undefined && !fits(policy.schema, value)) return undefined;
    return { value: value as never, etag: earlier.etag, ageMs: ageMs(earlier, clock.now()) };
  } catch {
    return undefined;
  }
}
