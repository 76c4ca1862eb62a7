/** Changes groups of boards: read, decided here, and stored only over the state that was read. */

import { BoundedMap } from '../../../src/support/bounded-map.ts';
import { sleep, type Clock } from '../../../src/support/clock.ts';
import { HotshelfError } from '../../../src/support/errors.ts';
import { encode, sizeOf } from './blob.ts';
import type { Board } from './board.ts';
import { Crowd } from './crowd.ts';
import { Draft } from './draft.ts';
import { collidedBoards, fullGroup, notWritten } from './errors.ts';
import { Pace } from './pace.ts';
import type { GroupReader, GroupState, GroupValues } from './reader.ts';

/** So often a call is tried again that others were faster than. */
const attemptsMost = 100;
/** So many steps go together at the most, or one call: this process does nothing else while it works on them. */
const stepsMost = 2048;
/** Of so many groups it is remembered at least how often others change them. */
const pacesKept = 256;

/** What is to live longer has no end: Memcached writes one as seconds of 32 bits. */
const longestMs = 20 * 366 * 86_400_000;

/** What somebody wants to have changed. */
interface Call {
  attempts: number;
  /** How many members it changes, on all boards together. */
  readonly steps: number;
  /** Changes a draft, and returns what tells the caller so. May be asked again, with another draft. */
  readonly apply: (draft: Draft) => () => void;
  readonly reject: (error: unknown) => void;
}

/** What became of an attempt; `unsure` if nothing was to be written, by a state that may be an old one. */
type Outcome = 'done' | 'lost' | 'unsure';

/** All calls of this process for one group are carried out together, so that only processes are in each other's way. */
export class GroupWriter {
  readonly #values: GroupValues;
  readonly #reader: GroupReader;
  readonly #clock: Clock;
  readonly #crowd: Crowd;
  /** What waits for the attempt that is under way. */
  readonly #waiting = new Map<string, Call[]>();
  readonly #paces = new BoundedMap<string, Pace>(pacesKept);

  constructor(values: GroupValues, reader: GroupReader, clock: Clock) {
    this.#values = values;
    this.#reader = reader;
    this.#clock = clock;
    this.#crowd = new Crowd(values, clock);
  }

  /**
   * @param steps how many members it changes at the most, on all boards together
   * @param work changes a draft, or throws before it changes anything; may be asked again if somebody else was faster
   */
  change<Result>(key: string, steps: number, work: (draft: Draft) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const apply = (draft: Draft) => {
        const result = work(draft);
        return () => resolve(result);
      };
      const call: Call = { attempts: 0, steps, apply, reject };
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) {
        waiting.push(call);
        return;
      }
      const calls = [call];
      this.#waiting.set(key, calls);
      void this.#work(key, calls);
    });
  }

  async #work(key: string, waiting: Call[]): Promise<void> {
    const pace = this.#paces.get(key) ?? new Pace(this.#clock);
    this.#paces.set(key, pace);
    // Whatever is asked in this tick goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const waitMs = pace.waitMs();
      if (waitMs > 0) await sleep(this.#clock, waitMs);
      const calls = waiting.splice(0, countTogether(waiting));
      try {
        if (await this.#carryOut(key, calls, pace)) continue;
        waiting.unshift(...calls.filter(mayTryAgain));
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    this.#waiting.delete(key);
  }

  /** Returns false if somebody else was faster. */
  async #carryOut(key: string, calls: readonly Call[], pace: Pace): Promise<boolean> {
    const startedAt = this.#clock.monotonic();
    // What this process saw last is as good as a read, as long as it is there still: storing over it proves that.
    const last = pace.isCalm ? this.#reader.last(key) : undefined;
    // On another server, perhaps, which is not waited for.
    void this.#crowd.listen(key).then((othersMs) => pace.makeRoom(othersMs));
    let outcome: Outcome = last === undefined ? 'unsure' : await this.#attempt(key, calls, last, false);
    if (outcome === 'unsure') outcome = await this.#attempt(key, calls, await this.#read(key), true);
    if (outcome === 'done') pace.won(this.#clock.monotonic() - startedAt);
    else pace.lost(this.#clock.monotonic() - startedAt);
    if (outcome === 'lost') this.#crowd.say(key, pace.roundMs);
    return outcome === 'done';
  }

  async #attempt(key: string, calls: readonly Call[], state: GroupState, isFresh: boolean): Promise<Outcome> {
    const { maxValueBytes } = this.#values;
    const now = this.#clock.now();
    let work = applyAll(calls, Draft.of(state.group, now));
    if (work.draft.changed) {
      let bytes = encode(work.draft);
      if (bytes.length > maxValueBytes) {
        work = applyEach(calls, Draft.of(state.group, now), maxValueBytes);
        bytes = encode(work.draft);
      }
      if (work.draft.changed && !(await this.#store(key, state, work.draft, bytes))) return 'lost';
    }
    if (!work.draft.changed && !isFresh) return 'unsure';
    for (const settle of work.settlers) settle();
    return 'done';
  }

  /** Returns false if somebody else was faster. */
  async #store(key: string, { version }: GroupState, { boards, now }: Draft, bytes: Buffer): Promise<boolean> {
    try {
      if (boards.size === 0) {
        this.#reader.forget(key);
        return version === undefined || (await this.#values.deleteIf(key, version));
      }
      const ttlMs = lifetimeMs(boards.values(), now);
      const stored =
        version === undefined
          ? await this.#values.add(key, bytes, ttlMs)
          : await this.#values.cas(key, version, bytes, ttlMs);
      if (stored === undefined) this.#reader.forget(key);
      else this.#reader.keep(key, { version: stored, bytes });
      return stored !== undefined;
    } catch (error) {
      this.#reader.forget(key);
      throw error;
    }
  }

  async #read(key: string): Promise<GroupState> {
    try {
      return await this.#reader.read(key);
    } catch (error) {
      throw error instanceof HotshelfError && error.code === 'OUTCOME_UNKNOWN' ? notWritten(error) : error;
    }
  }
}

/** How many of the calls that wait go together. */
function countTogether(waiting: readonly Call[]): number {
  let steps = 0;
  const end = waiting.findIndex((call, index) => (steps += call.steps) > stepsMost && index > 0);
  return end === -1 ? waiting.length : end;
}

interface Work {
  readonly draft: Draft;
  /** What tells each caller how it went, once that is certain. */
  readonly settlers: readonly (() => void)[];
}

function applyAll(calls: readonly Call[], draft: Draft): Work {
  const settlers = calls.map((call) => applied(call, draft));
  draft.tidy();
  return { draft, settlers };
}

/** Carries out one call after the other, and leaves out those after which the group would be too large. */
function applyEach(calls: readonly Call[], start: Draft, maxValueBytes: number): Work {
  let [draft, size] = [start, sizeOf(start)];
  const settlers = calls.map((call) => {
    const next = draft.fork();
    const settle = applied(call, next);
    next.tidy();
    const bytes = sizeOf(next);
    if (bytes > maxValueBytes && bytes > size) return () => call.reject(fullGroup(bytes, maxValueBytes));
    [draft, size] = [next, bytes];
    return settle;
  });
  return { draft, settlers };
}

function applied({ apply, reject }: Call, draft: Draft): () => void {
  try {
    return apply(draft);
  } catch (error) {
    return () => reject(error);
  }
}

/** How long the value has to live, so that the last of its boards does. */
function lifetimeMs(boards: Iterable<Board>, now: number): number {
  const latest = Math.max(...Array.from(boards, ({ expiresAt }) => expiresAt));
  const ttlMs = Math.ceil(latest - now);
  return ttlMs < longestMs ? ttlMs : Infinity;
}

/** Tells the caller if it may not. */
function mayTryAgain(call: Call): boolean {
  call.attempts += 1;
  if (call.attempts < attemptsMost) return true;
  call.reject(collidedBoards());
  return false;
}
