/** Finds out how much can be done at once before it gets slow: more while it stays fast, less as soon as it does not. */

export interface AdaptiveRules {
  readonly min: number;
  readonly max: number;
  /** Slower than this is too slow, in ms; `undefined`: slower than one and a half times what it takes without a queue. */
  readonly targetMs: number | undefined;
}

/** What is known: the limit, not rounded, and how long it takes without a queue, in ms. */
export interface AdaptiveState {
  readonly limit: number;
  readonly baseMs: number | undefined;
}

/** How much slower than without a queue is still good. */
const tolerance = 1.5;
/** How much of each new answer goes into the limit. */
const weight = 0.2;
/** How much of a slower answer goes into what is thought to be fast: the work itself may have become slower. */
const forgetting = 0.02;
/** Less than this is a rounding error of the clock. */
const shortestMs = 0.1;

export function startAdaptive({ max }: AdaptiveRules): AdaptiveState {
  return { limit: max, baseMs: undefined };
}

/**
 * Returns what is known after something took `ms` while `held` were at work, itself included.
 *
 * The limit follows the ratio of what it should take to what it took, and while that is fast enough it grows by its square
 * root; neither all at once. It does not grow while less than half of it is used: nothing was learned then.
 */
export function adapt(state: AdaptiveState, rules: AdaptiveRules, ms: number, held: number): AdaptiveState {
  const took = Math.max(shortestMs, ms);
  const base = state.baseMs ?? took;
  // Under load an answer is slow because of the load, and tells nothing of the work.
  const isLoaded = held > Math.max(rules.min, state.limit / 4);
  const baseMs = took < base ? took : base + (isLoaded ? 0 : (took - base) * forgetting);
  const target = rules.targetMs ?? baseMs * tolerance;
  const ratio = Math.max(0.5, Math.min(1, target / took));
  if (ratio === 1 && held < state.limit / 2) return { limit: state.limit, baseMs };
  const room = ratio === 1 ? Math.sqrt(state.limit) : 0;
  const wanted = state.limit * ratio + room;
  const limit = state.limit + (wanted - state.limit) * weight;
  return { limit: Math.min(rules.max, Math.max(rules.min, limit)), baseMs };
}

export function limitOf({ limit }: AdaptiveState): number {
  return Math.floor(limit);
}
