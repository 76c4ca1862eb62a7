/**
 * Adds up weights that lose half of themselves in every half-life, without touching them while they do: a score is the logarithm
 * of what its weight would have been at the epoch, which is the same at any time (Cormode, Shkapenyuk, Srivastava, Xu 2009,
 * "Forward decay").
 */

/** The score after `weight` was added to it at `now`, in epoch ms. */
export function decayed(score: number | null, weight: number, now: number, halfLifeMs: number): number {
  const added = Math.log2(weight) + now / halfLifeMs;
  if (score === null) return added;
  // log2(2^a + 2^b), with neither of them computed: they are far beyond any double.
  const [most, least] = score > added ? [score, added] : [added, score];
  return most + Math.log2(1 + 2 ** (least - most));
}

/** What a score weighs at `now`, in epoch ms. */
export function weightAt(score: number, now: number, halfLifeMs: number): number {
  return 2 ** (score - now / halfLifeMs);
}
