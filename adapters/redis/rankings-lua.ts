/** What the Lua scripts of rankings have in common: how a board is kept, and who stands ahead on it. */

import type { RankingRules } from '../../src/backend/rankings.ts';
import { script, type Script } from './scripts.ts';

/**
 * A board is a sorted set of its members with their scores. With ties `dense` the sorted set `<key>:scores` has each score
 * once, as text. With ties `earliest` a member stands in the board behind the 16 digits of when it reached its score
 * (subtracted from 2^53 - 1 if the order descends, because members of one score then come in descending order), and the
 * hash `<key>:reached` knows these digits of each member, and under '' the latest such time.
 */
const suffixes = { competition: undefined, dense: ':scores', earliest: ':reached' } as const;

/** All keys of boards, as the scripts expect them. */
export function keysOf(boards: readonly string[], { ties }: Pick<RankingRules, 'ties'>, prefix: string): string[] {
  const suffix = suffixes[ties];
  if (suffix === undefined) return prefix === '' ? [...boards] : boards.map((key) => prefix + key);
  return boards.flatMap((key) => [prefix + key, prefix + key + suffix]);
}

/** The time of `<key>:reached` behind which a member stands. The other way round it is the same. */
export function stampOf({ order }: Pick<RankingRules, 'order'>, reached: number): number {
  return order === 'desc' ? Number.MAX_SAFE_INTEGER - reached : reached;
}

export const stampDigits = 16;

/** Stands between members and scores in an answer, as Lua writes it: a byte that UTF-8 never has. */
export const fence = String.raw`'\255'`;
export const fenceByte = 255;

const common = `
local order, ties = ARGV[1], ARGV[2]
local descends, dense, earliest = order == 'desc', ties == 'dense', ties == 'earliest'
local wide = (dense or earliest) and 2 or 1

local function keys(board)
  return KEYS[board * wide - wide + 1], wide == 2 and KEYS[board * wide]
end

-- How many members a board has, and the latest time in it. Raises an error where a key holds something of another kind.
local function look(key, other)
  local size, latest = redis.call('ZCARD', key), 0
  if dense then redis.call('ZCARD', other) end
  if earliest then latest = tonumber(redis.call('HGET', other, '') or 0) end
  return size, latest
end

local function whole(number) return string.format('%.0f', number) end
-- The same text for the same number, whoever wrote it.
local function text(number) return string.format('%.17g', number) end

-- How many elements of a sorted set have a better score.
local function ahead(set, score)
  if descends then return redis.call('ZCOUNT', set, '(' .. score, '+inf') end
  return redis.call('ZCOUNT', set, '-inf', '(' .. score)
end

-- How a member stands in its board, or false.
local function elementOf(other, member)
  if not earliest then return member end
  local stamp = redis.call('HGET', other, member)
  return stamp and stamp .. member
end

-- To be called when an element has left a board, or its score.
local function forget(key, other, element, score)
  if dense and redis.call('ZCOUNT', key, score, score) == 0 then redis.call('ZREM', other, text(score)) end
  if earliest then redis.call('HDEL', other, string.sub(element, ${stampDigits + 1})) end
end

local function expire(at, key, other)
  for _, name in ipairs({ key, other or nil }) do
    if at == '' then redis.call('PERSIST', name) else redis.call('PEXPIREAT', name, at) end
  end
end
`;

/** ARGV begin with the order and the ties. KEYS are those of `keysOf`. */
export function rankingScript(body: string): Script {
  return script(common + body);
}

/** For a board that goes at `expiresAt`, in epoch ms: an argument of the scripts. */
export function expiryOf(expiresAt: number): number | '' {
  return expiresAt === Infinity ? '' : Math.ceil(expiresAt);
}

/** A bound of scores as Redis writes it. */
export function boundOf(score: number): string {
  return Number.isFinite(score) ? String(score) : score < 0 ? '-inf' : '+inf';
}
