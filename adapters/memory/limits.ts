/** The limits facet in this process. */

import { add, advance, free, give, isAhead, lifetimeMs, taken } from '../../src/backend/limits/arithmetic.ts';
import { checkPairs, checkShut, checkTake } from '../../src/backend/limits/check.ts';
import type { Usage } from '../../src/backend/limits/usage.ts';
import type { Limits, Plan, Taken } from '../../src/backend/limits.ts';
import { FifoMap } from '../../src/support/s3-fifo.ts';
import { Cell, type Store } from './store.ts';

/** What a key takes beside its text, as measured: the cell, its places in the maps, and the numbers of its usage. */
const limitOverheadBytes = 330;

class Limit extends Cell {
  readonly algorithm: Plan['algorithm'];
  readonly windowMs: number;
  usage: Usage = [];

  constructor(key: string, { algorithm, windowMs }: Plan) {
    super(key, limitOverheadBytes + key.length, 0);
    this.algorithm = algorithm;
    this.windowMs = windowMs;
  }
}

/** What a shut gate takes beside its key. */
const gateOverheadBytes = 200;

export class MemoryLimits implements Limits {
  readonly #store: Store;
  readonly #limits: FifoMap<Limit>;
  /** Those that are shut, until their time. */
  readonly #gates: FifoMap<Cell>;

  constructor(store: Store) {
    this.#store = store;
    this.#limits = new FifoMap<Limit>(store.queues);
    this.#gates = new FifoMap<Cell>(store.queues);
  }

  async take(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken> {
    return this.#decide(keys, plans, cost, gate, (fits) => (fits ? cost : 0));
  }

  async look(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken> {
    return this.#decide(keys, plans, cost, gate, () => 0);
  }

  async charge(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Taken> {
    const { standings } = this.#decide(keys, plans, cost, undefined, (_fits, left) =>
      Math.max(0, Math.min(cost, left)),
    );
    return { allowed: true, shutMs: 0, standings: standings.map((one) => ({ ...one, retryAfterMs: 0 })) };
  }

  async give(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    this.#store.checkOpen();
    checkTake(keys, plans, cost);
    const now = this.#now();
    for (const [place, plan] of plans.entries()) {
      const limit = this.#find(keys[place] ?? '', plan);
      if (limit === undefined) continue;
      limit.usage = give(plan, advance(plan, limit.usage, now), cost);
      if (limit.usage.length === 0) this.#limits.delete(limit);
    }
  }

  async shut(gate: string, ms: number): Promise<void> {
    this.#store.checkOpen();
    checkShut(gate, ms);
    const found = this.#gates.find(gate);
    if (ms > 0) this.#store.put(this.#gates, new Cell(gate, gateOverheadBytes + gate.length, this.#now() + ms));
    else if (found !== undefined) this.#gates.delete(found);
  }

  async reset(keys: readonly string[], plans: readonly Plan[]): Promise<void> {
    this.#store.checkOpen();
    checkPairs(keys, plans);
    for (const key of keys) {
      const limit = this.#limits.find(key);
      if (limit !== undefined) this.#limits.delete(limit);
    }
  }

  /** @param part what to take from a plan that has `left`, if all plans have room or not */
  #decide(
    keys: readonly string[],
    plans: readonly Plan[],
    cost: number,
    gate: string | undefined,
    part: (fits: boolean, left: number) => number,
  ): Taken {
    this.#store.checkOpen();
    checkTake(keys, plans, cost, gate);
    const now = this.#now();
    const shutUntil = gate === undefined ? 0 : (this.#store.get(this.#gates, gate)?.expiresAt ?? 0);
    const shutMs = Math.max(0, shutUntil - now);
    const before = plans.map((plan, place) => this.#find(keys[place] ?? '', plan)?.usage ?? []);
    const usages = plans.map((plan, place) => advance(plan, before[place] ?? [], now));
    const allowed = plans.every((plan, place) => free(plan, usages[place] ?? []) >= cost);
    for (const [place, plan] of plans.entries()) {
      const usage = usages[place] ?? [];
      const charged = part(allowed && shutMs === 0, free(plan, usage));
      if (charged === 0 && !isAhead(before[place] ?? [], usage)) continue;
      usages[place] = this.#write(keys[place] ?? '', plan, add(plan, usage, now, charged), now);
    }
    return taken(plans, usages, now, cost, allowed, shutMs);
  }

  /** What is kept under `key` for this algorithm and window. */
  #find(key: string, { algorithm, windowMs }: Plan): Limit | undefined {
    const limit = this.#store.get(this.#limits, key);
    return limit?.algorithm === algorithm && limit.windowMs === windowMs ? limit : undefined;
  }

  #write(key: string, plan: Plan, usage: Usage, now: number): Usage {
    const found = this.#find(key, plan);
    const limit = found ?? new Limit(key, plan);
    limit.usage = usage;
    limit.expiresAt = now + lifetimeMs(plan, usage, now);
    if (found === undefined) this.#store.put(this.#limits, limit);
    else this.#store.sweepLater(limit);
    return usage;
  }

  #now(): number {
    return Math.floor(this.#store.clock.now());
  }
}
