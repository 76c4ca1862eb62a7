/** Says who stands before whom on a board. */

import type { RankingEntry, RankingRules } from '../rankings.ts';

/** True if score `a` is better than `b`. */
export function isBetter({ order }: Pick<RankingRules, 'order'>, a: number, b: number): boolean {
  return order === 'desc' ? a > b : a < b;
}

/** Negative if `a` stands before `b`: a total order, in which no two members of a board are equal. */
export function compareEntries(rules: Pick<RankingRules, 'order' | 'ties'>, a: RankingEntry, b: RankingEntry): number {
  const sign = rules.order === 'desc' ? -1 : 1;
  if (a.score !== b.score) return a.score < b.score ? -sign : sign;
  if (rules.ties === 'earliest' && a.reached !== b.reached) return a.reached - b.reached;
  return sign * compareMembers(a.member, b.member);
}

/**
 * Compares two texts by the bytes of their UTF-8, as Redis does.
 *
 * UTF-16, in which JavaScript compares, has it otherwise in one place: its surrogates (U+D800 to U+DFFF), which write what
 * lies above U+FFFF, come before U+E000 to U+FFFF.
 */
export function compareMembers(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return lifted(left) - lifted(right);
  }
  return a.length - b.length;
}

function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
