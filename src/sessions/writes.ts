/** Makes the changes of many requests to one session, so that none is lost: one compare-and-set at a time for each session. */

import { isUnconfirmed } from '../support/errors.ts';
import { untilWritten } from './attempts.ts';
import type { SessionEvent } from './events.ts';
import { Fields } from './fields.ts';
import { type Owners, ownerIn } from './owners.ts';
import { endOf } from './lifetime.ts';
import { type Changes, merged } from './merge.ts';
import type { Settings } from './options.ts';
import type { Found } from './record.ts';
import type { Records } from './records.ts';
import type { State } from './state.ts';

interface Job {
  readonly changes: Changes;
  readonly cookieEndsAt: number | undefined;
  readonly resolve: (state: State | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class Writes {
  readonly #settings: Settings;
  readonly #records: Records;
  readonly #owners: Owners;
  readonly #emit: (event: SessionEvent) => void;
  /** Changes that came while others of the same session were on their way: they go together, next. */
  readonly #waiting = new Map<string, Job[]>();

  constructor(settings: Settings, records: Records, owners: Owners, emit: (event: SessionEvent) => void) {
    this.#settings = settings;
    this.#records = records;
    this.#owners = owners;
    this.#emit = emit;
  }

  /**
   * Returns the state with `changes` made, or `undefined` if the session is gone: then nothing is stored.
   *
   * Rejects as the backend does, with `VALUE_TOO_LARGE`, with `SESSION_CONTENDED`, or with what a rule threw; changes of other
   * requests are not touched by that.
   */
  change(state: State, changes: Changes, cookieEndsAt: number | undefined): Promise<State | undefined> {
    return new Promise((resolve, reject) => {
      const job = { changes, cookieEndsAt, resolve, reject };
      const waiting = this.#waiting.get(state.keys.session);
      if (waiting !== undefined) waiting.push(job);
      else {
        this.#waiting.set(state.keys.session, []);
        void this.#run(state, job);
      }
    });
  }

  async #run(start: State, first: Job): Promise<void> {
    const key = start.keys.session;
    let state: State | undefined = start;
    for (let jobs = [first]; jobs.length > 0; jobs = this.#waiting.get(key) ?? []) {
      this.#waiting.set(key, []);
      try {
        state ??= (await this.#records.look(start.keys)).state;
        state = await this.#commit(state, jobs);
      } catch (error) {
        state = undefined;
        for (const { reject } of jobs) reject(error);
        // Whoever waited for a server that does not answer has waited long enough.
        if (isUnconfirmed(error)) for (const { reject } of this.#waiting.get(key)?.splice(0) ?? []) reject(error);
      }
    }
    this.#waiting.delete(key);
  }

  /** Makes the changes of `jobs` and tells them; returns the state that is stored then. */
  #commit(start: State | undefined, jobs: readonly Job[]): Promise<State | undefined> {
    let seen = start;
    const done = untilWritten(this.#settings.clock, 'a change of a session', async (attempt) => {
      if (attempt > 1 && seen !== undefined) ({ state: seen } = await this.#records.look(seen.keys));
      // A server may keep a session for a moment after its end.
      if (seen === undefined || seen.found.expiresAt <= this.#settings.clock.now()) {
        for (const { resolve } of jobs) resolve(undefined);
        return { state: undefined };
      }
      const { found, made } = this.#applied(seen.found, jobs);
      if (made.length === 0) return { state: seen };
      const written = await this.#written(seen, found, made);
      if (written === 'split') return { state: await this.#commitEach(seen, made) };
      if (written === undefined) return undefined;
      if (attempt > 1) this.#emit({ type: 'merged', id: written.keys.id, attempts: attempt });
      for (const { resolve } of made) resolve(written);
      return { state: written };
    });
    return done.then(({ state }) => state);
  }

  /** Changes that together are too much may each be small enough. */
  async #commitEach(start: State, jobs: readonly Job[]): Promise<State | undefined> {
    let state: State | undefined = start;
    for (const job of jobs) {
      try {
        state ??= (await this.#records.look(start.keys)).state;
        state = await this.#commit(state, [job]);
      } catch (error) {
        state = undefined;
        job.reject(error);
        if (isUnconfirmed(error)) throw error;
      }
    }
    return state;
  }

  async #written(state: State, found: Found, jobs: readonly Job[]): Promise<State | undefined | 'split'> {
    try {
      const listed = await this.#owners.before(state.keys, state.found.record, found);
      const written = await this.#records.replace(state, listed);
      if (written !== undefined) this.#owners.after(state.keys, state.found.record, listed.record);
      return written;
    } catch (error) {
      if (jobs.length > 1 && !isUnconfirmed(error)) return 'split';
      throw error;
    }
  }

  /** Makes the changes one after the other; those whose rule throws are told so and left out. */
  #applied(before: Found, jobs: readonly Job[]): { readonly found: Found; readonly made: readonly Job[] } {
    const now = this.#settings.clock.now();
    const made: Job[] = [];
    let { record } = before;
    let expiresAt = -Infinity;
    for (const job of jobs) {
      try {
        const fields = Fields.ofTexts(merged(record.fields.texts(), job.changes, this.#settings.merge));
        const owner = ownerIn(fields, record.owner, this.#settings);
        record = { ...record, fields, owner, cookie: job.changes.cookie ?? record.cookie };
      } catch (error) {
        job.reject(error);
        continue;
      }
      expiresAt = Math.max(expiresAt, endOf(this.#settings, record.createdAt, job.cookieEndsAt, now));
      made.push(job);
    }
    return { found: { ...before, record, writtenAt: now, expiresAt }, made };
  }
}
