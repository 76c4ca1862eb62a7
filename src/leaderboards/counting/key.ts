/** Writes the keys of what is counted: injective, printable, and all buckets of one label on one server. */

import { keyText, shortened } from '../../support/key-text.ts';

/** Longer ones are kept by their digest. */
const longestId = 150;

/**
 * Returns the start of the keys of `name`, under which `of` counts apart. No label is another one than an empty label.
 *
 * @param kind the facet and its feature: what counts differently must not share keys
 */
export function startOf(kind: 'counters' | 'uniques' | 'trending', name: string, of?: string): string {
  const id = of === undefined ? keyText(name) : `${keyText(name)}:${keyText(of)}`;
  return `${kind}:{${shortened(id, longestId)}}`;
}
