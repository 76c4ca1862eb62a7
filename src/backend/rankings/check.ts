/** Refuses the boards, rules, members and scores that the contract of rankings does not allow, for every adapter in the same words. */

import { describe, HotshelfError } from '../../support/errors.ts';
import { checkKey, checkSameTag, tagOf } from '../check.ts';
import type { RankingBoard, RankingQuery, RankingRules, Submission } from '../rankings.ts';
import { entryAt } from './mark.ts';

export const longestMemberBytes = 256;
export const mostSubmissions = 128;
export const mostBoards = 16;
/** Rows of a page, and members of a question. */
export const mostRows = 1000;

const orders: readonly unknown[] = ['desc', 'asc'];
const ties: readonly unknown[] = ['competition', 'dense', 'earliest'];
const modes: readonly unknown[] = ['best', 'last', 'sum', 'decay'];

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless this may be submitted. */
export function checkSubmit(
  boards: readonly RankingBoard[],
  rules: RankingRules,
  submissions: readonly Submission[],
  maxMembers: number,
): void {
  checkRules(rules, maxMembers);
  checkBoardKeys(boards.map(({ key }) => key));
  for (const { expiresAt } of boards) checkInstant(expiresAt);
  if (submissions.length === 0 || submissions.length > mostSubmissions)
    throw wrong('submissions', `1 to ${mostSubmissions} scores`, `${submissions.length}`);
  for (const { member, score } of submissions) {
    checkMember(member);
    checkScore(score, rules);
  }
}

/** @throws {HotshelfError} `OPTION_INVALID` or `KEY_INVALID` unless this may be asked. */
export function checkQuery(key: string, rules: RankingRules, query: RankingQuery, maxMembers: number): void {
  checkRules(rules, maxMembers);
  checkBoardKeys([key]);
  checkWhole('count', query.count, 1, mostRows);
  if ('around' in query) checkMember(query.around);
  else if ('after' in query) checkMember(entryAt(query.after).member);
  else if ('from' in query) checkWhole('from', query.from, 0, Number.MAX_SAFE_INTEGER);
  else {
    checkScores(query.least, query.most);
    checkWhole('skip', query.skip, 0, Number.MAX_SAFE_INTEGER);
  }
}

/** @throws {HotshelfError} `OPTION_INVALID` unless these are 1 to 1000 members. */
export function checkMembers(members: readonly string[]): void {
  checkWhole('the number of members', members.length, 1, mostRows);
  for (const member of members) checkMember(member);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `member` is a text of 1 to 256 bytes of UTF-8. */
export function checkMember(member: unknown): void {
  if (typeof member === 'string' && member !== '' && isWellFormed(member)) {
    // No text has more bytes than three times its length.
    if (member.length * 3 <= longestMemberBytes || Buffer.byteLength(member) <= longestMemberBytes) return;
  }
  throw wrong('member', `a text of 1 to ${longestMemberBytes} bytes of UTF-8`, shown(member));
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `least` and `most` are numbers, and not the wrong way round. */
export function checkScores(least: unknown, most: unknown): void {
  if (typeof least === 'number' && typeof most === 'number' && least <= most) return;
  throw wrong('least and most', 'two numbers, the lower one first', `${describe(least)} and ${describe(most)}`);
}

/** @throws {HotshelfError} `OPTION_INVALID` naming the rule, what is allowed and what was given. */
export function checkRules(rules: RankingRules, maxMembers: number): void {
  const { order, ties: tie, mode, cap, halfLifeMs } = rules;
  if (!orders.includes(order)) throw wrong('order', '"desc" or "asc"', describe(order));
  if (!ties.includes(tie)) throw wrong('ties', '"competition", "dense" or "earliest"', describe(tie));
  if (!modes.includes(mode)) throw wrong('mode', '"best", "last", "sum" or "decay"', describe(mode));
  if (cap !== Infinity) checkWhole('cap', cap, 1, Math.min(maxMembers, Number.MAX_SAFE_INTEGER));
  if (mode !== 'decay') return;
  if (typeof halfLifeMs !== 'number' || !(halfLifeMs >= 1) || halfLifeMs === Infinity)
    throw wrong('halfLifeMs', 'a number of ms from 1 on', describe(halfLifeMs));
  if (order !== 'desc' || tie !== 'competition')
    throw wrong('mode', 'another one than "decay" for a board with another order or other ties', describe(mode));
}

/** @throws {HotshelfError} `KEY_INVALID` unless these are different keys of boards that are kept together. */
export function checkBoardKeys(keys: readonly string[]): void {
  if (keys.length === 0 || keys.length > mostBoards)
    throw wrong('boards', `1 to ${mostBoards} boards`, `${keys.length}`);
  for (const key of keys) checkKey(key);
  const [first = ''] = keys;
  const group = groupOf(first);
  // Who begins alike up to the closing brace has the same text in braces, too.
  const belong = keys.every((key, place) => key.startsWith(group) && keys.indexOf(key) === place);
  if (belong && tagOf(first) !== undefined) return;
  checkSameTag(keys, 'boards');
  throw new HotshelfError(
    'KEY_INVALID',
    'Expected all keys of boards to be the same up to the closing brace, such as "quiz:{eu}:day" and "quiz:{eu}:week".',
  );
}

/** What boards that are changed together have in common: the key up to its first closing brace. */
export function groupOf(key: string): string {
  return key.slice(0, key.indexOf('}', key.indexOf('{')) + 1);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless a board may be moved to `to`. */
export function checkMove(key: string, to: RankingBoard, rules: RankingRules, maxMembers: number): void {
  checkRules(rules, maxMembers);
  checkBoardKeys([key, to.key]);
  checkInstant(to.expiresAt);
}

function checkScore(score: unknown, { mode }: RankingRules): void {
  const allowed = typeof score === 'number' && Number.isFinite(score) && (mode !== 'decay' || score > 0);
  if (!allowed) throw wrong('score', `a finite number${mode === 'decay' ? ' above 0' : ''}`, describe(score));
}

function checkInstant(at: unknown): void {
  if (at === Infinity || (typeof at === 'number' && at >= 0 && at <= Number.MAX_SAFE_INTEGER)) return;
  throw wrong('expiresAt', 'an instant in epoch ms, or Infinity', describe(at));
}

function checkWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw wrong(name, `a whole number from ${least} to ${most}`, describe(value));
}

/** False for a text with half of a surrogate pair, which UTF-8 cannot hold. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** A member may be somebody's name: only what it is, and how long. */
function shown(member: unknown): string {
  if (typeof member !== 'string') return describe(member);
  if (member === '') return 'an empty one';
  return isWellFormed(member)
    ? `one of ${Buffer.byteLength(member)} bytes`
    : 'one with half of a surrogate pair, which UTF-8 cannot hold';
}

function wrong(name: string, expected: string, got: string): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected \`${name}\` to be ${expected}, got ${got}.`);
}
