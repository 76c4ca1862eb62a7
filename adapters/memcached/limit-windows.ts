/** Counts the windows of limits on Memcached: one counter for each part of a window, charged before the others are read. */

import { fixedWindow, windowAt } from '../../src/backend/limits/fixed-window.ts';
import { endOfPart, partAt, partsPerWindow, slidingWindow } from '../../src/backend/limits/sliding-window.ts';
import type { Usage } from '../../src/backend/limits/usage.ts';
import type { FixedWindowPlan, SlidingWindowPlan } from '../../src/backend/limits.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { ServerClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import { collided, increment, readCount } from './increment.ts';
import type { Kept, LimitKeeper } from './limit-keeper.ts';

export type WindowPlan = SlidingWindowPlan | FixedWindowPlan;

/** So often a charge is tried again that collided with another one. */
const collisionsMost = 100;

/** Where a plan is counted at one moment. */
interface Place {
  readonly client: ServerClient;
  readonly key: string;
  readonly plan: WindowPlan;
  /** The number of the current part. */
  readonly part: number;
  readonly now: number;
}

/**
 * Every take adds to the current part first and reads the others then, so that of two takes at least one sees the other: never
 * more than the limit is admitted. A take that finds no room takes off again what it added; until then others see it, and
 * may be refused although there is room.
 */
export class LimitWindows implements LimitKeeper<WindowPlan> {
  readonly #cluster: Cluster;
  readonly #clock: Clock;

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  async take(key: string, plan: WindowPlan, cost: number): Promise<Kept> {
    const place = this.#place(key, plan);
    const usage = cost === 0 ? await this.#read(place) : await this.#add(place, cost);
    const undo = () => takeBack(place, cost);
    if (left(plan, usage) >= 0) return { fits: true, usage, now: place.now, undo };
    await undo();
    return { fits: false, usage: without(usage, cost), now: place.now, undo: async () => {} };
  }

  async look(key: string, plan: WindowPlan, cost: number): Promise<Kept> {
    const place = this.#place(key, plan);
    const usage = await this.#read(place);
    return { fits: left(plan, usage) >= cost, usage, now: place.now, undo: async () => {} };
  }

  async charge(key: string, plan: WindowPlan, cost: number): Promise<Kept> {
    const place = this.#place(key, plan);
    const before = await this.#read(place);
    const charged = Math.max(0, Math.min(cost, left(plan, before)));
    const usage = charged === 0 ? before : await this.#add(place, charged);
    return { fits: true, usage, now: place.now, undo: async () => {} };
  }

  async give(key: string, plan: WindowPlan, cost: number): Promise<void> {
    const place = this.#place(key, plan);
    const usage = await this.#read(place);
    let due = cost;
    // The oldest first, as the algorithm has it.
    for (let back = usage.length - 2; back >= 0 && due > 0; back -= 1) {
      const given = Math.min(due, usage[back + 1] ?? 0);
      due -= given;
      if (given > 0) await takeOff(place, place.part - back, given);
    }
  }

  async reset(key: string, plan: WindowPlan): Promise<void> {
    const place = this.#place(key, plan);
    const usage = await this.#read(place);
    for (const [at, count] of usage.entries()) {
      if (at > 0 && count > 0) await takeOff(place, place.part - at + 1, Number.MAX_SAFE_INTEGER);
    }
    await takeOff(place, place.part + 1, Number.MAX_SAFE_INTEGER);
  }

  #place(key: string, plan: WindowPlan): Place {
    const now = Math.floor(this.#clock.now());
    const part = plan.algorithm === 'sliding-window' ? partAt(plan, now) : windowAt(plan, now);
    return { client: this.#cluster.clientOf(key), key, plan, part, now };
  }

  /** Charges the current part, and returns the usage with it. */
  async #add(place: Place, cost: number): Promise<Usage> {
    const { client, plan, part, now } = place;
    const ttlMs = (plan.algorithm === 'sliding-window' ? endOfPart(plan, part) : (part + 1) * plan.windowMs) - now;
    for (let attempt = 0; attempt < collisionsMost; attempt += 1) {
      // In this order on one connection: whoever is charged later reads what was charged here.
      const [added, read] = await Promise.allSettled([
        increment(client, nameOf(place, part), cost, ttlMs, now),
        readOthers(place),
      ]);
      if (added.status === 'rejected') throw added.reason;
      if (added.value === undefined) continue;
      if (read.status === 'fulfilled') return usageOf(place, added.value, read.value);
      // It was charged, and nobody knows whether there was room.
      await takeBack(place, cost);
      throw read.reason;
    }
    throw collided(client);
  }

  async #read(place: Place): Promise<Usage> {
    const [current, others] = await Promise.all([
      readCount(place.client, nameOf(place, place.part)),
      readOthers(place),
    ]);
    return usageOf(place, current, others);
  }
}

/**
 * The counts of the part to come and of those before, in this order. A process that is ahead, by its clock or by the time that
 * a request travels, has charged the part to come already.
 */
function readOthers(place: Place): Promise<number[]> {
  if (place.plan.algorithm === 'fixed-window') return Promise.resolve([]);
  const parts = [place.part + 1];
  for (let back = 1; back <= partsPerWindow; back += 1) parts.push(place.part - back);
  return Promise.all(parts.map((part) => readCount(place.client, nameOf(place, part))));
}

function usageOf({ part }: Place, current: number, [next = 0, ...older]: readonly number[]): Usage {
  const usage = [part, current + next, ...older];
  return usage.every((count, at) => at === 0 || count === 0) ? [] : usage;
}

function without([part = 0, taken = 0, ...older]: Usage, cost: number): Usage {
  return [part, Math.max(0, taken - cost), ...older];
}

/** How much is left of the limit; below 0 if more was added than there was room for. */
function left(plan: WindowPlan, usage: Usage): number {
  return plan.algorithm === 'sliding-window' ? slidingWindow.free(plan, usage) : fixedWindow.free(plan, usage);
}

/** Takes off what is there, `cost` at most; creates nothing. */
async function takeOff(place: Place, part: number, cost: number): Promise<void> {
  await increment(place.client, nameOf(place, part), -cost, Infinity, place.now);
}

/** Takes off what was charged just now. */
async function takeBack(place: Place, cost: number): Promise<void> {
  try {
    await takeOff(place, place.part, cost);
  } catch (cause) {
    throw new HotshelfError(
      'OUTCOME_UNKNOWN',
      'A take for which there was no room was charged, and may or may not have been given back.',
      { cause },
    );
  }
}

/** A key has 240 characters at most and Memcached takes 250: nine are left for the number until the year 2059, and then ten. */
function nameOf({ key }: Place, part: number): string {
  return `${key}:${part.toString(36)}`;
}
