/** Counts in this process, for the time in which the store does not answer. */

import { add, advance, free, give, taken } from '../backend/limits/arithmetic.ts';
import type { Usage } from '../backend/limits/usage.ts';
import type { Plan, Taken } from '../backend/limits.ts';
import type { Clock } from '../support/clock.ts';

/** Two generations of so many keys are counted at most. */
const keysPerGeneration = 10_000;

/** What was let through here and is not known to the store. */
export interface Debt {
  readonly keys: readonly string[];
  readonly plans: readonly Plan[];
  cost: number;
}

/**
 * Always knows what this process was granted, so that an outage does not begin with an empty count: in any window it lets
 * through no more than the limit, before and during the outage together.
 */
export class Insurance {
  readonly #clock: Clock;
  readonly #instances: number;
  #recent = new Map<string, Usage>();
  #older = new Map<string, Usage>();
  #debts = new Map<string, Debt>();
  /** Until when, in epoch ms. */
  readonly #gates = new Map<string, number>();

  constructor(clock: Clock, instances: number) {
    this.#clock = clock;
    this.#instances = instances;
  }

  /** Notes what the store granted. */
  record(keys: readonly string[], plans: readonly Plan[], cost: number): void {
    const now = this.#now();
    for (const [place, plan] of plans.entries()) {
      const key = keys[place] ?? '';
      this.#write(key, add(plan, this.#read(key, plan, now), now, cost));
    }
  }

  /** Decides instead of the store, by this process's share of the limits. */
  take(keys: readonly string[], plans: readonly Plan[], cost: number, gate: string, charges: boolean): Taken {
    const now = this.#now();
    const shutMs = Math.max(0, (this.#gates.get(gate) ?? 0) - now);
    const shares = plans.map((plan) => shareOf(plan, this.#instances));
    const usages = shares.map((plan, place) => this.#read(keys[place] ?? '', plan, now));
    const allowed = isRoom(shares, usages, cost);
    if (allowed && shutMs === 0 && charges) {
      for (const [place, plan] of shares.entries()) {
        const usage = add(plan, usages[place] ?? [], now, cost);
        usages[place] = usage;
        this.#write(keys[place] ?? '', usage);
      }
    }
    return taken(shares, usages, now, cost, allowed, shutMs);
  }

  /** Says whether `cost` is within what one process may be granted at all: the whole limit. */
  look(keys: readonly string[], plans: readonly Plan[], cost: number): Taken {
    const now = this.#now();
    const usages = plans.map((plan, place) => this.#read(keys[place] ?? '', plan, now));
    return taken(plans, usages, now, cost, isRoom(plans, usages, cost));
  }

  give(keys: readonly string[], plans: readonly Plan[], cost: number): void {
    const now = this.#now();
    for (const [place, plan] of plans.entries()) {
      const key = keys[place] ?? '';
      const usage = this.#read(key, plan, now);
      if (usage.length > 0) this.#write(key, give(plan, usage, cost));
    }
    const debt = this.#debts.get(keys[0] ?? '');
    if (debt !== undefined) debt.cost = Math.max(0, debt.cost - cost);
  }

  /** Remembers what this process shut: of the others nothing is known without the store. */
  shut(gate: string, ms: number): void {
    const now = this.#now();
    if (this.#gates.size >= keysPerGeneration)
      for (const [other, until] of this.#gates) if (until <= now) this.#gates.delete(other);
    if (this.#gates.size < keysPerGeneration) this.#gates.set(gate, now + ms);
  }

  reset(keys: readonly string[], gate: string): void {
    this.#gates.delete(gate);
    for (const key of keys) {
      this.#recent.delete(key);
      this.#older.delete(key);
      this.#debts.delete(key);
    }
  }

  /** Notes that the store has to be told of this when it answers again. */
  owe(keys: readonly string[], plans: readonly Plan[], cost: number): void {
    const key = keys[0] ?? '';
    const debt = this.#debts.get(key);
    if (debt !== undefined) debt.cost += cost;
    else if (this.#debts.size < keysPerGeneration) this.#debts.set(key, { keys, plans, cost });
  }

  /** What is owed, once. */
  settle(): Iterable<Debt> {
    if (this.#debts.size === 0) return [];
    const debts = this.#debts.values();
    this.#debts = new Map();
    return debts;
  }

  #read(key: string, plan: Plan, now: number): Usage {
    const usage = this.#recent.get(key) ?? this.#older.get(key) ?? [];
    return advance(plan, usage, now);
  }

  #write(key: string, usage: Usage): void {
    if (this.#recent.size >= keysPerGeneration && !this.#recent.has(key)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, usage);
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }
}

function isRoom(plans: readonly Plan[], usages: readonly Usage[], cost: number): boolean {
  return plans.every((plan, place) => free(plan, usages[place] ?? []) >= cost);
}

function shareOf(plan: Plan, instances: number): Plan {
  if (instances === 1) return plan;
  const limit = Math.max(1, Math.floor(plan.limit / instances));
  if (plan.algorithm !== 'token-bucket') return { ...plan, limit };
  // A bucket that is filled more slowly must not be too large to be filled within the longest time.
  return {
    ...plan,
    limit,
    burst: Math.max(1, Math.min(Math.floor(plan.burst / instances), Math.ceil(plan.burst * (limit / plan.limit)))),
  };
}
