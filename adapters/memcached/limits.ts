/** The limits facet on Memcached, which has no steps over several keys: what it keeps of the contract, it keeps by order. */

import { taken } from '../../src/backend/limits/arithmetic.ts';
import { Blocks } from '../../src/backend/limits/blocks.ts';
import { checkShut, checkTake } from '../../src/backend/limits/check.ts';
import type { Limits, Plan, Taken } from '../../src/backend/limits.ts';
import type { Values } from '../../src/backend/values.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { Cluster } from './cluster.ts';
import { LimitBuckets } from './limit-buckets.ts';
import type { Kept } from './limit-keeper.ts';
import { LimitWindows } from './limit-windows.ts';

/**
 * Windows are counters, token buckets are values that are compared and set. By the clock of the process that asks, not of the
 * server: clocks that are a tenth of a window apart or more let a little more through.
 */
export class MemcachedLimits implements Limits {
  readonly #windows: LimitWindows;
  readonly #buckets: LimitBuckets;
  readonly #values: Values;
  readonly #clock: Clock;
  readonly #blocks: Blocks | undefined;

  /** @param blocks whether takes of exhausted keys are refused without asking the server */
  constructor(cluster: Cluster, values: Values, clock: Clock, blocks: boolean) {
    this.#windows = new LimitWindows(cluster, clock);
    this.#buckets = new LimitBuckets(values, clock);
    this.#values = values;
    this.#clock = clock;
    this.#blocks = blocks ? new Blocks(clock) : undefined;
  }

  refused(keys: readonly string[], plans: readonly Plan[], cost: number): Taken | undefined {
    return this.#blocks?.find(keys, plans, cost);
  }

  async take(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken> {
    const blocked = this.#blocks?.find(keys, plans, cost);
    if (blocked !== undefined) return blocked;
    checkTake(keys, plans, cost, gate);
    const shutMs = await this.#shutMs(gate);
    if (shutMs > 0) return { ...(await this.look(keys, plans, cost)), allowed: false, shutMs };
    const askedAt = this.#clock.monotonic();
    const kept = await this.#takeAll(keys, plans, cost);
    const answer = answerOf(plans, kept, cost);
    const usages = kept.map(({ usage }) => usage);
    if (!answer.allowed) this.#blocks?.note(keys, plans, usages, kept[0]?.now ?? 0, askedAt);
    return answer;
  }

  async look(keys: readonly string[], plans: readonly Plan[], cost: number, gate?: string): Promise<Taken> {
    checkTake(keys, plans, cost, gate);
    const [shutMs, kept] = await Promise.all([
      this.#shutMs(gate),
      this.#each(keys, plans, (key, plan) => this.#look(key, plan, cost)),
    ]);
    return answerOf(plans, kept, cost, shutMs);
  }

  async charge(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Taken> {
    checkTake(keys, plans, cost);
    const kept = await this.#each(keys, plans, (key, plan) =>
      plan.algorithm === 'token-bucket' ? this.#buckets.charge(key, plan, cost) : this.#windows.charge(key, plan, cost),
    );
    return { ...answerOf(plans, kept, 0), allowed: true };
  }

  async give(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    checkTake(keys, plans, cost);
    await this.#return(keys, plans, (key, plan) =>
      plan.algorithm === 'token-bucket' ? this.#buckets.give(key, plan, cost) : this.#windows.give(key, plan, cost),
    );
  }

  async reset(keys: readonly string[], plans: readonly Plan[]): Promise<void> {
    checkTake(keys, plans, 0);
    await this.#return(keys, plans, (key, plan) =>
      plan.algorithm === 'token-bucket' ? this.#buckets.reset(key) : this.#windows.reset(key, plan),
    );
  }

  async shut(gate: string, ms: number): Promise<void> {
    checkShut(gate, ms);
    if (ms === 0) await this.#values.delete([gate]);
    else await this.#values.set(gate, Buffer.from(String(Math.floor(this.#clock.now()) + ms), 'latin1'), ms);
  }

  close(): void {
    this.#blocks?.clear();
  }

  /** Charges all plans, and takes back what was charged where one of them has no room or fails. */
  async #takeAll(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Kept[]> {
    const outcomes = await Promise.allSettled(plans.map((plan, place) => this.#take(keys[place] ?? '', plan, cost)));
    const kept = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure === undefined && kept.every(({ fits }) => fits)) return kept;
    const charged = kept.filter(({ fits }) => fits);
    if (failure !== undefined) {
      await undoAll(charged);
      throw failure.reason;
    }
    await undoAll(charged);
    return Promise.all(
      kept.map(async (one, place) => {
        const plan = plans[place];
        return one.fits && plan !== undefined ? this.#look(keys[place] ?? '', plan, cost) : one;
      }),
    );
  }

  async #shutMs(gate: string | undefined): Promise<number> {
    const stored = gate === undefined ? undefined : await this.#values.get(gate);
    if (stored === undefined) return 0;
    const until = Number(Buffer.from(stored.bytes).toString('latin1'));
    return Number.isSafeInteger(until) ? Math.max(0, until - Math.floor(this.#clock.now())) : 0;
  }

  #take(key: string, plan: Plan, cost: number): Promise<Kept> {
    return plan.algorithm === 'token-bucket'
      ? this.#buckets.take(key, plan, cost)
      : this.#windows.take(key, plan, cost);
  }

  #look(key: string, plan: Plan, cost: number): Promise<Kept> {
    return plan.algorithm === 'token-bucket'
      ? this.#buckets.look(key, plan, cost)
      : this.#windows.look(key, plan, cost);
  }

  async #return(
    keys: readonly string[],
    plans: readonly Plan[],
    work: (key: string, plan: Plan) => Promise<void>,
  ): Promise<void> {
    try {
      await this.#each(keys, plans, work);
    } finally {
      this.#blocks?.forget(keys);
    }
  }

  #each<Result>(
    keys: readonly string[],
    plans: readonly Plan[],
    work: (key: string, plan: Plan) => Promise<Result>,
  ): Promise<Result[]> {
    return Promise.all(plans.map((plan, place) => work(keys[place] ?? '', plan)));
  }
}

/** Rejects if some of it may have remained, whatever else went wrong. */
async function undoAll(charged: readonly Kept[]): Promise<void> {
  const outcomes = await Promise.allSettled(charged.map((one) => one.undo()));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure === undefined) return;
  throw new HotshelfError('OUTCOME_UNKNOWN', 'What was charged of a take may or may not have been given back.', {
    cause: failure.reason,
  });
}

function answerOf(plans: readonly Plan[], kept: readonly Kept[], cost: number, shutMs = 0): Taken {
  const allowed = kept.every(({ fits }) => fits);
  const usages = kept.map(({ usage }) => usage);
  return taken(plans, usages, kept[0]?.now ?? 0, cost, allowed, shutMs);
}
