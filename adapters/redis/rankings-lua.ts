/** What the Lua scripts of rankings have in common: how a board is kept, and who stands ahead on it. */

import type { RankingRules } from '../../src/backend/rankings.ts';
import { script, type Script } from './scripts.ts';

/**
 * A board is a sorted set of its members with their scores. With ties `dense` the sorted set `<key> scores` has each score
 * once, as text. With ties `earliest` a member stands in the board behind the 16 digits of when it reached its score
 * (subtracted from 2^53 - 1 if the order descends, because members of one score then come in descending order), and the
 * hash `<key> reached` knows these digits of each member, and under '' the latest such time. No board can have such a key: the
 * keys of the contract have no blanks.
 */
const suffixes = { competition: undefined, dense: ' scores', earliest: ' reached' } as const;

/** All keys of boards, as the scripts expect them. */
export function keysOf(boards: readonly string[], { ties }: Pick<RankingRules, 'ties'>, prefix: string): string[] {
  const suffix = suffixes[ties];
  if (suffix === undefined) return prefix === '' ? [...boards] : boards.map((key) => prefix + key);
  return boards.flatMap((key) => [prefix + key, prefix + key + suffix]);
}

/** The digits behind which a member stands, as a number, for the time that it reached its score; and the other way round. */
export function stampOf({ order }: Pick<RankingRules, 'order'>, reached: number): number {
  return order === 'desc' ? Number.MAX_SAFE_INTEGER - reached : reached;
}

export const stampDigits = 16;

/** Stands between members and scores in an answer, as Lua writes it: a byte that UTF-8 never has. */
export const fence = String.raw`'\255'`;
export const fenceByte = 255;

/** Most that one command inside a script names: Lua hands over no more than some thousand values. */
export const atOnce = 1000;

const common = `
local order, ties = ARGV[1], ARGV[2]
local descends, dense, earliest = order == 'desc', ties == 'dense', ties == 'earliest'
local wide = (dense or earliest) and 2 or 1

local function keys(board)
  return KEYS[board * wide - wide + 1], wide == 2 and KEYS[board * wide]
end

local function whole(number) return string.format('%.0f', number) end
-- The same text for the same number, whoever wrote it.
local function text(number) return string.format('%.17g', number) end

-- Follows when only one of the two keys of a board is there: a server without memory dropped the other.
local function mend(key, other, size)
  redis.call('DEL', other)
  for from = 0, size - 1, ${atOnce} do
    local some, parts = redis.call('ZRANGE', key, from, from + ${atOnce - 1}, 'WITHSCORES'), {}
    for place = 1, #some, 2 do
      local element, score = some[place], some[place + 1]
      parts[place] = dense and score or string.sub(element, ${stampDigits + 1})
      parts[place + 1] = dense and text(tonumber(score)) or string.sub(element, 1, ${stampDigits})
    end
    redis.call(dense and 'ZADD' or 'HSET', other, unpack(parts))
  end
  -- When the latest time was is not worth a search: it is not after now.
  if earliest and size > 0 then redis.call('HSET', other, '', 0) end
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', other, left) end
end

-- How many members a board has. Raises an error where a key holds something of another kind.
local function look(key, other)
  local size = redis.call('ZCARD', key)
  if other then
    local side = redis.call(dense and 'ZCARD' or 'HLEN', other)
    if (size == 0) ~= (side == 0) then mend(key, other, size) end
  end
  return size
end

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
