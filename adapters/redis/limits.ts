/** The limits facet on Redis: decided by one script on the server, in the time of the server. */

import { taken } from '../../src/backend/limits/arithmetic.ts';
import { Blocks } from '../../src/backend/limits/blocks.ts';
import { checkCost, checkPlans, checkShut, checkTake } from '../../src/backend/limits/check.ts';
import type { Limits, Plan, Taken } from '../../src/backend/limits.ts';
import type { Clock } from '../../src/support/clock.ts';
import { BoundedMap } from '../../src/support/bounded-map.ts';
import { LimitsBatch } from './limits-batch.ts';
import { writeNames, type Mode, type Names } from './limits-text.ts';
import type { Nodes } from './nodes.ts';

/** So many callers are remembered at least: their keys need not be checked and written again. */
const knownCallers = 1000;

/** Keys that were checked. */
interface Known {
  readonly keys: readonly string[];
  readonly gate: string;
  readonly names: Names;
}

export class RedisLimits implements Limits {
  readonly #nodes: Nodes;
  readonly #batch: LimitsBatch;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #blocks: Blocks | undefined;
  readonly #known = new BoundedMap<string, Known>(knownCallers);

  /** @param blocks whether takes of exhausted keys are refused without asking the server */
  constructor(nodes: Nodes, clock: Clock, blocks: boolean) {
    this.#nodes = nodes;
    this.#batch = new LimitsBatch(nodes);
    this.#prefix = nodes.keyPrefix;
    this.#clock = clock;
    this.#blocks = blocks ? new Blocks(clock) : undefined;
  }

  refused(keys: readonly string[], plans: readonly Plan[], cost: number): Taken | undefined {
    return this.#blocks?.find(keys, plans, cost);
  }

  take(keys: readonly string[], plans: readonly Plan[], cost: number, gate = ''): Promise<Taken> {
    const blocked = this.#blocks?.find(keys, plans, cost);
    return blocked === undefined ? this.#ask('take', keys, plans, cost, gate) : Promise.resolve(blocked);
  }

  look(keys: readonly string[], plans: readonly Plan[], cost: number, gate = ''): Promise<Taken> {
    return this.#ask('look', keys, plans, cost, gate);
  }

  charge(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<Taken> {
    return this.#ask('charge', keys, plans, cost, '');
  }

  async give(keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    await this.#return('give', keys, plans, cost);
  }

  async reset(keys: readonly string[], plans: readonly Plan[]): Promise<void> {
    await this.#return('reset', keys, plans, 0);
  }

  async shut(gate: string, ms: number): Promise<void> {
    checkShut(gate, ms);
    const key = this.#prefix + gate;
    await (ms > 0 ? this.#nodes.run(key, 'set', [key, '', 'PX', ms]) : this.#nodes.run(key, 'unlink', [key]));
  }

  close(): void {
    this.#blocks?.clear();
  }

  async #return(mode: Mode, keys: readonly string[], plans: readonly Plan[], cost: number): Promise<void> {
    try {
      await this.#ask(mode, keys, plans, cost, '');
    } catch (error) {
      this.#blocks?.forget(keys);
      throw error;
    }
  }

  #ask(mode: Mode, keys: readonly string[], plans: readonly Plan[], cost: number, gate: string): Promise<Taken> {
    return new Promise((resolve, reject) => {
      const names = this.#check(keys, plans, cost, gate);
      const askedAt = this.#clock.monotonic();
      // A literal and not an object of a class: what V8 compiled for a class it forgets when memory is cleared while no object
      // of it is in use.
      this.#batch.ask({
        question: { mode, names, plans, cost },
        answer: ({ allowed, usages, shutMs }, now) => {
          if (mode === 'take' && !allowed) this.#blocks?.note(keys, plans, usages, now, askedAt);
          // As soon as it is answered: a take that was refused before it was answered before it as well.
          if (mode === 'give' || mode === 'reset') this.#blocks?.forget(keys);
          resolve(taken(plans, usages, now, cost, allowed || mode === 'charge', shutMs));
        },
        fail: reject,
      });
    });
  }

  #check(keys: readonly string[], plans: readonly Plan[], cost: number, gate: string): Names {
    const known = this.#known.get(keys[0] ?? '');
    if (known !== undefined && known.gate === gate && isSame(known.keys, keys)) {
      checkCost(cost);
      checkPlans(keys, plans);
      return known.names;
    }
    checkTake(keys, plans, cost, gate === '' ? undefined : gate);
    const names = writeNames(this.#prefix, keys, gate);
    this.#known.set(keys[0] ?? '', { keys: [...keys], gate, names });
    return names;
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((key, place) => key === others[place]);
}
