/** What the cases of the rankings suite have in common: boards, rules, and pages in short. */

import assert from 'node:assert/strict';
import type {
  RankingBoard,
  RankingPage,
  RankingQuery,
  RankingRules,
  Rankings,
  Submitted,
} from '../backend/rankings.ts';
import type { Define, Trial } from './suite.ts';

export type DefineRankings = Define<'rankings'>;
export type RankingsTrial = Trial<'rankings'>;

export const wholeBoard: RankingQuery = { from: 0, count: 1000 };

/** The highest score first, shared ranks with gaps, the best score of each, no cap; and what is said otherwise. */
export function rulesOf(changes: Partial<RankingRules> = {}): RankingRules {
  return { order: 'desc', ties: 'competition', mode: 'best', cap: Infinity, ...changes };
}

/** Returns the key of a board that nobody used before. */
export function newKey(trial: RankingsTrial): string {
  return `{${trial.key()}}:day`;
}

export function boardsOf(...keys: readonly string[]): readonly RankingBoard[] {
  return keys.map((key) => ({ key, expiresAt: Infinity }));
}

/** Submits to one board that stays, in calls of 100; returns what was answered. */
export async function submit(
  rankings: Rankings,
  key: string,
  rules: RankingRules,
  scores: readonly (readonly [member: string, score: number])[],
): Promise<readonly (Submitted | undefined)[]> {
  const answers: (Submitted | undefined)[] = [];
  for (let from = 0; from < scores.length; from += 100) {
    const submissions = scores.slice(from, from + 100).map(([member, score]) => ({ member, score }));
    for (const [answer] of await rankings.submit(boardsOf(key), rules, submissions)) answers.push(answer);
  }
  return answers;
}

/** A page in short: `1 ann 30, 2 bob 20`. */
export function said({ rows }: RankingPage): string {
  return rows.map(({ rank, member, score }) => `${rank} ${member} ${score}`).join(', ');
}

/** What a whole board holds, in short. */
export async function held(rankings: Rankings, key: string, rules: RankingRules): Promise<string> {
  return said(await rankings.page(key, rules, wholeBoard));
}

/** The members of a page, in their order. */
export function membersOf({ rows }: RankingPage): readonly string[] {
  return rows.map(({ member }) => member);
}

/** `count` members with the scores `count` to 1: `m1` stands first with `desc`. */
export function ladder(count: number): readonly (readonly [string, number])[] {
  return Array.from({ length: count }, (_, index) => [`m${index + 1}`, count - index] as const);
}

/** Fails unless two numbers are the same to within a hundred-millionth of them. */
export function expectClose(found: number | undefined, expected: number, what: string): void {
  const away = Math.abs((found ?? Number.NaN) - expected);
  assert.ok(away <= 1e-8 * Math.max(1, Math.abs(expected)), `${what}: ${found} instead of ${expected}`);
}
