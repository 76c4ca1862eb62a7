/** Says of how many members somebody is at least as good. */

/**
 * Returns the share of the members, in per cent, that are not ahead: 100 for the first of them, and never 0.
 *
 * @param size how many members there are, at least 1
 * @param ahead how many of them have a better score
 */
export function percentile(size: number, ahead: number): number {
  return (100 * (size - ahead)) / size;
}
