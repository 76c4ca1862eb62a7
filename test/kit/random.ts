/** Random numbers that a failed run can repeat: the same seed gives the same series. */

/** A generator of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = Math.trunc(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A delay for `startProxy`: whole ms from `min` to `max`, both included. */
export function randomDelay(seed: number, min = 0, max = 6): () => number {
  const random = seededRandom(seed);
  return () => min + Math.floor(random() * (max - min + 1));
}
