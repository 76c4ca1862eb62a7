/** Says what each algorithm of the limits facet has to answer, for every adapter the same. */

import type { Plan } from '../limits.ts';

/**
 * What was taken under a key: whole numbers whose meaning is known to the algorithm alone. Empty: nothing was taken.
 */
export type Usage = readonly number[];

/** The arithmetic of one algorithm. `now` is epoch ms, a whole number. */
export interface Algorithm<Own extends Plan> {
  /** The most that can be taken at once. */
  capacity(plan: Own): number;
  /** What counts at `now` of what was taken before. The other questions are to be asked with it. */
  advance(plan: Own, usage: Usage, now: number): Usage;
  /** How much may be taken; below 0 if the plan became smaller meanwhile. */
  free(plan: Own, usage: Usage): number;
  /** Takes `cost`, whether or not there is room. */
  add(plan: Own, usage: Usage, now: number, cost: number): Usage;
  /** Gives back `cost`, or what was taken if that is less. */
  give(plan: Own, usage: Usage, cost: number): Usage;
  /** After how many ms `cost` is free if nothing is taken; `cost` is at most the capacity. */
  waitMs(plan: Own, usage: Usage, now: number, cost: number): number;
}
