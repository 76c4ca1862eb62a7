/** Says what Memcached has to do for one plan under one key; several plans are put together above it. */

import type { Usage } from '../../src/backend/limits/usage.ts';
import type { Plan } from '../../src/backend/limits.ts';

export interface Kept {
  readonly fits: boolean;
  /** What was taken, with this take if it fits. */
  readonly usage: Usage;
  /** When that was, in epoch ms. */
  readonly now: number;
  /** Takes back what was charged. */
  undo(): Promise<void>;
}

export interface LimitKeeper<Own extends Plan> {
  /** Takes `cost` if there is room, and nothing otherwise. */
  take(key: string, plan: Own, cost: number): Promise<Kept>;
  look(key: string, plan: Own, cost: number): Promise<Kept>;
  /** Takes `cost`, or what is left. */
  charge(key: string, plan: Own, cost: number): Promise<Kept>;
  give(key: string, plan: Own, cost: number): Promise<void>;
  reset(key: string, plan: Own): Promise<void>;
}
