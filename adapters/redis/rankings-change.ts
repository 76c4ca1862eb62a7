/** The scripts that take members off boards, give a board another key, and read it piece by piece. */

import type { RankingEntry, RankingRules } from '../../src/backend/rankings.ts';
import type { Reply } from './client.ts';
import { atOnce, fence, rankingScript, stampDigits } from './rankings-lua.ts';
import { readerOf } from './rankings-text.ts';

const boards = `
local boards, sizes, counts = #KEYS / wide, {}, {}
for board = 1, boards do sizes[board] = look(keys(board)) end

-- With its last member a sorted set goes by itself.
local function tidy(key, other)
  if earliest and redis.call('EXISTS', key) == 0 then redis.call('DEL', other) end
end
`;

/** ARGV: order, ties, members. Answers with how many were on each board: `1;0;`. */
export const removeScript = rankingScript(`${boards}
for board = 1, boards do
  local key, other = keys(board)
  local gone = 0
  if other then
    for arg = 3, #ARGV do
      local element = elementOf(other, ARGV[arg])
      local score = element and redis.call('ZSCORE', key, element)
      if score then
        redis.call('ZREM', key, element)
        forget(key, other, element, score)
        gone = gone + 1
      end
    end
    tidy(key, other)
  else
    gone = redis.call('ZREM', key, unpack(ARGV, 3))
  end
  counts[board] = gone .. ';'
end
return table.concat(counts)`);

/** ARGV: order, ties, the least score and the most. Answers as `removeScript` does. */
export const removeScoresScript = rankingScript(`${boards}
local least, most = ARGV[3], ARGV[4]
for board = 1, boards do
  local key, other = keys(board)
  local gone = redis.call('ZCOUNT', key, least, most)
  if gone == sizes[board] then
    -- Freed behind, however many they are.
    redis.call('UNLINK', key, other or key)
  elseif earliest then
    local some
    repeat
      some = redis.call('ZRANGEBYSCORE', key, least, most, 'LIMIT', 0, ${atOnce})
      if #some > 0 then redis.call('ZREM', key, unpack(some)) end
      for place, element in ipairs(some) do some[place] = string.sub(element, ${stampDigits + 1}) end
      if #some > 0 then redis.call('HDEL', other, unpack(some)) end
    until #some < ${atOnce}
  else
    redis.call('ZREMRANGEBYSCORE', key, least, most)
    if dense then redis.call('ZREMRANGEBYSCORE', other, least, most) end
  end
  counts[board] = gone .. ';'
end
return table.concat(counts)`);

/** Returns how many were on each board, or `undefined` if the reply is not what the scripts answer. */
export function readCounts(reply: Reply, boardCount: number): number[] | undefined {
  const reader = readerOf(reply);
  if (reader === undefined) return undefined;
  const counts = Array.from({ length: boardCount }, () => reader.number());
  return reader.isOver ? counts : undefined;
}

/** KEYS: a board, and the board that it shall be. ARGV: order, ties, when it goes. */
export const moveScript = rankingScript(`
local from, fromOther = keys(1)
local to, toOther = keys(2)
local size, taken = look(from, fromOther), look(to, toOther)
if size == 0 then return 'missing' end
if taken > 0 then return 'taken' end
redis.call('RENAME', from, to)
if fromOther then
  redis.call('DEL', toOther)
  if redis.call('EXISTS', fromOther) == 1 then redis.call('RENAME', fromOther, toOther) end
end
expire(ARGV[3], to, toOther)
return 'moved'`);

export function readMoved(reply: Reply): 'moved' | 'missing' | 'taken' | undefined {
  const said = Buffer.isBuffer(reply) ? reply.toString('latin1') : undefined;
  return said === 'moved' || said === 'missing' || said === 'taken' ? said : undefined;
}

/**
 * ARGV: order, ties, cursor, and about how many members to read. Answers with the next cursor, which is 0 at the end, and the
 * members as a page has them.
 *
 * With ties `earliest` an element changes with the score, and might be missed: there the hash is read, whose fields stay.
 */
export const scanScript = rankingScript(`
local key, other = keys(1)
look(key, other)
local found = redis.call(earliest and 'HSCAN' or 'ZSCAN', other and earliest and other or key, ARGV[3], 'COUNT', ARGV[4])
local answer, some = {}, found[2]
for place = 1, #some, 2 do
  local element, score = some[place], some[place + 1]
  if earliest then
    element = element ~= '' and score .. element
    score = element and redis.call('ZSCORE', key, element)
  end
  if score then
    answer[#answer + 1] = element
    answer[#answer + 1] = score
  end
end
answer[#answer + 1] = ''
return found[1] .. ';' .. table.concat(answer, ${fence})`);

export interface Scanned {
  readonly cursor: string;
  readonly entries: readonly RankingEntry[];
}

/** Returns `undefined` if the reply is not what the script answers. */
export function readScanned(reply: Reply, rules: RankingRules): Scanned | undefined {
  const reader = readerOf(reply);
  if (reader === undefined) return undefined;
  const cursor = reader.word();
  const entries: RankingEntry[] = [];
  while (reader.hasMore) entries.push(reader.entry(rules));
  return reader.isOver ? { cursor, entries } : undefined;
}
