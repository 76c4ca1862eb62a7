/** Keeps the tags' logical clock in the backend: one number that only grows, and an era that tells its lives apart. */

import { randomBytes } from 'node:crypto';
import type { Stored, Values } from '../../backend/values.ts';
import { HotshelfError } from '../../support/errors.ts';
import { readTick, sealTick, type Tick } from './stamp.ts';

/** So often a change is tried against others who change the same. */
export const mostAttempts = 50;

export class TagClock {
  /** Where it stands. */
  readonly key: string;
  readonly #values: Values;
  #known: Tick | undefined;
  #step: Promise<Tick> | undefined;
  #nextStep: Promise<Tick> | undefined;

  constructor(values: Values, key: string) {
    this.#values = values;
    this.key = key;
  }

  /** The latest instant that this process knows of. */
  get known(): Tick | undefined {
    return this.#known;
  }

  /** Takes note of an instant that stands somewhere in the backend. */
  learn(era: number, count: number): void {
    const known = this.#known;
    if (known === undefined || (known.era === era && known.count < count)) this.#known = { era, count };
  }

  /** Reads the clock, or begins an era. Rejects as the backend does. */
  read(): Promise<Tick> {
    return this.#until(async (stored) => readTick(this.key, stored) ?? (await this.#begin(stored)));
  }

  /** Moves the clock on; callers who come together share one step. Rejects as the backend does. */
  advance(): Promise<Tick> {
    if (this.#nextStep !== undefined) return this.#nextStep;
    const begin = (): Promise<Tick> => {
      this.#nextStep = undefined;
      const step = this.#until((stored) => this.#move(stored));
      this.#step = step;
      const end = () => {
        if (this.#step === step) this.#step = undefined;
      };
      step.then(end, end);
      return step;
    };
    if (this.#step === undefined) return begin();
    // A step that is on its way may have been counted before this caller came: only one that begins later is later.
    this.#nextStep = this.#step.then(begin, begin);
    return this.#nextStep;
  }

  /** Tries until `attempt` comes to an instant. */
  async #until(attempt: (stored: Stored | undefined) => Promise<Tick | undefined>): Promise<Tick> {
    for (let attempts = 0; attempts < mostAttempts; attempts += 1) {
      const tick = await attempt(await this.#values.get(this.key));
      if (tick !== undefined) return this.#learnEra(tick);
    }
    throw contended([this.key]);
  }

  async #move(stored: Stored | undefined): Promise<Tick | undefined> {
    const tick = readTick(this.key, stored);
    if (tick === undefined || stored === undefined) return this.#begin(stored);
    // A failover to a replica can set the clock back: what this process knows still counts.
    const known = this.#known?.era === tick.era ? this.#known.count : 0;
    const next = { era: tick.era, count: Math.max(tick.count, known) + 1 };
    const written = await this.#values.cas(this.key, stored.version, sealTick(this.key, next), Infinity);
    return written && next;
  }

  async #begin(unusable: Stored | undefined): Promise<Tick | undefined> {
    const tick = { era: randomBytes(6).readUIntBE(0, 6), count: 1 };
    const bytes = sealTick(this.key, tick);
    const written =
      unusable === undefined
        ? await this.#values.add(this.key, bytes, Infinity)
        : await this.#values.cas(this.key, unusable.version, bytes, Infinity);
    return written && tick;
  }

  /** What the clock itself shows is the era of now. */
  #learnEra(tick: Tick): Tick {
    if (this.#known?.era !== tick.era) this.#known = tick;
    this.learn(tick.era, tick.count);
    return this.#known;
  }
}

/** What to throw when others were always faster. */
export function contended(keys: readonly string[]): HotshelfError {
  return new HotshelfError(
    'BACKEND_REFUSED',
    `${mostAttempts} attempts to change ${keys.length === 1 ? keys[0] : `${keys.length} tags`} met other changes each time.`,
  );
}
