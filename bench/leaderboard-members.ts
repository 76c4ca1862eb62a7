/** The members of the leaderboards that are measured, and how they get there. */
import type { RankingBoard, RankingRules, Rankings } from '../src/backend/rankings.ts';

export function memberAt(place: number): string {
  return `player:${place}`;
}

/** One of a million, by chance. */
export function scoreOf(): number {
  return Math.floor(Math.random() * 1_000_000);
}

export function rulesOf(ties: RankingRules['ties']): RankingRules {
  return { order: 'desc', ties, mode: 'best', cap: Infinity };
}

export async function load(
  rankings: Rankings,
  boards: readonly RankingBoard[],
  rules: RankingRules,
  members: number,
): Promise<void> {
  const eachCall = 128;
  for (let from = 0; from < members; from += eachCall * 8) {
    const calls: Promise<unknown>[] = [];
    for (let start = from; start < Math.min(members, from + eachCall * 8); start += eachCall) {
      const length = Math.min(eachCall, members - start);
      const some = Array.from({ length }, (_, at) => ({ member: memberAt(start + at), score: scoreOf() }));
      calls.push(rankings.submit(boards, rules, some));
    }
    await Promise.all(calls);
  }
}
