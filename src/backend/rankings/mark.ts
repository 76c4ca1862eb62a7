/** Writes and reads where a page ends, so that the next one can begin behind it. */

import { HotshelfError } from '../../support/errors.ts';
import type { RankingEntry } from '../rankings.ts';

const pattern = /^([^|]{1,32})\|(\d{1,16})\|(.+)$/s;

export function markOf({ score, reached, member }: RankingEntry): string {
  return `${score}|${reached}|${member}`;
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `mark` is the `end` of a page. */
export function entryAt(mark: string): RankingEntry {
  const [, score = '', reached = '', member = ''] = pattern.exec(mark) ?? [];
  const entry = { score: Number(score === '' ? Number.NaN : score), reached: Number(reached), member };
  if (Number.isFinite(entry.score)) return entry;
  throw new HotshelfError('OPTION_INVALID', 'Expected the mark of a page to be the `end` of another page.');
}
