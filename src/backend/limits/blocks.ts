/** Remembers what was taken of exhausted keys, so that the store need not be asked before they may have room again. */

import type { Clock } from '../../support/clock.ts';
import type { Plan, Taken } from '../limits.ts';
import { advance, free, taken } from './arithmetic.ts';
import { samePlans } from './same.ts';
import type { Usage } from './usage.ts';

/** Two generations of so many keys are remembered at most. */
const keysPerGeneration = 10_000;

/** The store is asked again after this at the latest, in ms: another process may have given something back. */
const longestBlockMs = 1000;

interface Block {
  readonly keys: readonly string[];
  readonly plans: readonly Plan[];
  readonly usages: readonly Usage[];
  /** When the usages were so: epoch ms of the store, ... */
  readonly now: number;
  /** ... and the monotonic clock here, not later than that. */
  readonly askedAt: number;
}

export class Blocks {
  readonly #clock: Clock;
  #recent = new Map<string, Block>();
  #older = new Map<string, Block>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns what the store would say to this take, if it would refuse it for certain. */
  find(keys: readonly string[], plans: readonly Plan[], cost: number): Taken | undefined {
    const block = this.#recent.get(keys[0] ?? '') ?? this.#older.get(keys[0] ?? '');
    if (block === undefined || !(cost > 0) || !Number.isSafeInteger(cost) || !isAbout(block, keys, plans))
      return undefined;
    const passed = this.#clock.monotonic() - block.askedAt;
    // It is not earlier than this where the store is, which counts whole ms; more may have been taken there, but not less.
    const now = block.now + Math.floor(passed) + 1;
    const usages = plans.map((plan, place) => advance(plan, block.usages[place] ?? [], now));
    const isFull = plans.some((plan, place) => free(plan, usages[place] ?? []) < cost);
    if (isFull && passed < longestBlockMs) return taken(plans, usages, now, cost, false);
    this.forget(block.keys);
    return undefined;
  }

  /**
   * @param now when the usages were so, in epoch ms of the store
   * @param askedAt when the take that was refused was sent, by the monotonic clock
   */
  note(keys: readonly string[], plans: readonly Plan[], usages: readonly Usage[], now: number, askedAt: number): void {
    if (this.#recent.size >= keysPerGeneration) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(keys[0] ?? '', { keys: [...keys], plans, usages, now, askedAt });
  }

  /** To be called when something is given back. */
  forget([key = '']: readonly string[]): void {
    this.#recent.delete(key);
    this.#older.delete(key);
  }

  clear(): void {
    this.#recent.clear();
    this.#older.clear();
  }
}

/** Equal keys and plans need no check: they were checked before they were sent. */
function isAbout(block: Block, keys: readonly string[], plans: readonly Plan[]): boolean {
  return (
    keys.length === block.keys.length &&
    keys.every((key, place) => key === block.keys[place]) &&
    samePlans(plans, block.plans)
  );
}
