/** Submits scores to boards in one script call, and reads what it did. */

import type { RankingBoard, RankingRules, Submission, Submitted } from '../../src/backend/rankings.ts';
import { isBetter } from '../../src/backend/rankings/order.ts';
import type { CommandArgument, Reply } from './client.ts';
import { expiryOf, rankingScript, stampDigits } from './rankings-lua.ts';
import { readerOf } from './rankings-text.ts';

/**
 * ARGV: order, ties, mode, half-life, cap or '', number of boards, when each of them goes, then members and scores in turns.
 *
 * Answers board by board, and for each submission with score, score before, and rank: `7,3,1;7,,1;`. All boards are looked at
 * before anything is written. A server without memory refuses the first write, or none.
 */
export const submitScript = rankingScript(`
local mode, halfLife, cap, boards = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local first = 7 + boards
local micros = 0
if earliest or mode == 'decay' then
  local time = redis.call('TIME')
  micros = time[1] * 1000000 + time[2]
end

local function decayed(previous, given)
  local added = given + math.floor(micros / 1000) / halfLife
  if not previous then return added end
  local most, least = math.max(previous, added), math.min(previous, added)
  return most + math.log(1 + 2 ^ (least - most)) / math.log(2)
end

local highest = ${Number.MAX_VALUE}
local function after(previous, given)
  if mode == 'decay' then return text(decayed(previous, given)) end
  if not previous or mode == 'last' then return given end
  if mode == 'sum' then return text(math.max(-highest, math.min(highest, previous + given))) end
  local one, other = tonumber(given), tonumber(previous)
  if descends then return one > other and given or previous end
  return one < other and given or previous
end

-- Takes those behind off a board; returns them, and the best of their scores.
local function drop(key, other, count)
  local dropped = {}
  local behind = redis.call(descends and 'ZPOPMIN' or 'ZPOPMAX', key, count)
  for place = 1, #behind, 2 do
    dropped[behind[place]] = behind[place + 1]
    forget(key, other, behind[place], behind[place + 1])
  end
  return dropped, behind[#behind]
end

local sizes, latests = {}, {}
for board = 1, boards do
  local key, other = keys(board)
  sizes[board] = look(key, other)
  if earliest then latests[board] = tonumber(redis.call('HGET', other, '') or 0) end
end

local answers = {}
for board = 1, boards do
  local key, other = keys(board)
  local size, latest = sizes[board], latests[board]
  for arg = first, #ARGV, 2 do
    local member, given = ARGV[arg], ARGV[arg + 1]
    local element, dropped = elementOf(other, member), {}
    local previous = element and redis.call('ZSCORE', key, element)
    local base = previous
    if not previous and mode == 'decay' and cap and size >= cap then
      dropped, base = drop(key, other, size - cap + 1)
      size = cap - 1
    end
    local score = after(base, given)
    if not previous or tonumber(score) ~= tonumber(previous) then
      local old = element
      if earliest then
        latest = math.max(latest + 1, micros)
        local stamp = string.format('%0${stampDigits}.0f', descends and ${Number.MAX_SAFE_INTEGER} - latest or latest)
        element = stamp .. member
        redis.call('HSET', other, member, stamp, '', whole(latest))
        if previous then redis.call('ZREM', key, old) end
      end
      redis.call('ZADD', key, score, element)
      if dense then
        redis.call('ZADD', other, score, text(score))
        if previous then forget(key, other, element, previous) end
      end
      if not previous then size = size + 1 end
    end
    if cap and size > cap then
      dropped = drop(key, other, size - cap)
      size = cap
    end
    local rank = ''
    if not dropped[element] then
      if earliest then rank = redis.call(descends and 'ZREVRANK' or 'ZRANK', key, element) + 1
      else rank = ahead(other or key, score) + 1 end
    end
    answers[#answers + 1] = score .. ',' .. (previous or '') .. ',' .. rank .. ';'
  end
  expire(ARGV[6 + board], key, other)
end
return table.concat(answers)`);

/** What follows the keys. */
export function writeSubmissions(
  boards: readonly RankingBoard[],
  { order, ties, mode, halfLifeMs, cap }: RankingRules,
  submissions: Iterable<Submission>,
): CommandArgument[] {
  const args: CommandArgument[] = [order, ties, mode, halfLifeMs ?? '', cap === Infinity ? '' : cap, boards.length];
  for (const { expiresAt } of boards) args.push(expiryOf(expiresAt));
  // The logarithm is taken here: Lua has none of base 2.
  for (const { member, score } of submissions) args.push(member, mode === 'decay' ? Math.log2(score) : score);
  return args;
}

/** Returns for each submission what it did to each board, or `undefined` if the reply is not what the script answers. */
export function readSubmitted(
  reply: Reply,
  rules: RankingRules,
  boards: number,
  submissions: number,
): Submitted[][] | undefined {
  const reader = readerOf(reply);
  if (reader === undefined) return undefined;
  const found = Array.from({ length: submissions }, (): Submitted[] => []);
  for (let board = 0; board < boards; board += 1) {
    for (const of of found) {
      const score = reader.number();
      const previous = reader.optional();
      const rank = reader.optional();
      of.push({ score, previous, rank, improved: previous === null || isBetter(rules, score, previous) });
    }
  }
  return reader.isOver ? found : undefined;
}
