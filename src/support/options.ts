/** Checks option objects: a name that nobody knows is a mistake, and says which known one it resembles. */

import { HotshelfError } from './errors.ts';

/**
 * @param where how the caller wrote the call: `createCache()`
 * @throws {HotshelfError} `OPTION_INVALID` when `options` is no object or has a name that is not in `known`.
 */
export function checkOptionNames(options: unknown, known: readonly string[], where: string): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new HotshelfError('OPTION_INVALID', `Expected the options of ${where} to be an object.`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? `It knows ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
    throw new HotshelfError('OPTION_INVALID', `${where} has no option \`${name.slice(0, 40)}\`. ${hint}`);
  }
}

/** Returns the name that differs from `name` by the fewest letters, if that is few enough to be a slip. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase().slice(0, 40), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
