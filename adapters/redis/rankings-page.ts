/** Reads pages of boards, and where members stand, each in one script call. */

import { rankRows } from '../../src/backend/rankings/arithmetic.ts';
import { entryAt, markOf } from '../../src/backend/rankings/mark.ts';
import type {
  RankingEntry,
  RankingFound,
  RankingPage,
  RankingQuery,
  RankingRules,
  RankingStanding,
} from '../../src/backend/rankings.ts';
import type { CommandArgument, Reply } from './client.ts';
import { boundOf, fence, rankingScript, stampDigits, stampOf } from './rankings-lua.ts';
import { readerOf } from './rankings-text.ts';

const clock = `
local time = redis.call('TIME')
local now = whole(time[1] * 1000 + math.floor(time[2] / 1000))
`;

/**
 * ARGV: order, ties, count, kind of the query, and what it names.
 *
 * Answers with the time, the number of members, how many stand before the first row, its rank, and the elements and scores of
 * the rows: `1700000000000;2;0;1;annie|7|bob|3|`, where `|` is a byte that no text has.
 */
export const pageScript = rankingScript(`${clock}
local key, other = keys(1)
local size = look(key, other)
local count, kind = tonumber(ARGV[3]), ARGV[4]
local range = descends and 'ZREVRANGE' or 'ZRANGE'

-- Byte by byte: Lua compares texts as the language of the server does.
local function precedes(one, two)
  for at = 1, math.min(#one, #two) do
    local left, right = string.byte(one, at), string.byte(two, at)
    if left ~= right then return (left < right) ~= descends end
  end
  return #one ~= #two and (#one < #two) ~= descends
end

local starts = {}
function starts.from() return math.min(tonumber(ARGV[5]), size), size end
function starts.around()
  local element = elementOf(other, ARGV[5])
  local place = element and redis.call(descends and 'ZREVRANK' or 'ZRANK', key, element)
  if not place then return 0, 0 end
  return math.max(0, math.min(place - math.floor((count - 1) / 2), size - count)), size
end
function starts.between()
  local least, most = ARGV[5], ARGV[6]
  local from = ahead(key, descends and most or least)
  local till = from + redis.call('ZCOUNT', key, least, most)
  return math.min(from + tonumber(ARGV[7]), till), till
end
function starts.after()
  local score, element = ARGV[5], ARGV[6]
  local from = ahead(key, score)
  local till = from + redis.call('ZCOUNT', key, score, score)
  while from < till do
    local middle = math.floor((from + till) / 2)
    if precedes(element, redis.call(range, key, middle, middle)[1]) then till = middle else from = middle + 1 end
  end
  return from, size
end

local from, till = starts[kind]()
till = math.min(till, from + count)
-- Mostly the row before tells that the first one begins a rank, which costs less than to count those ahead.
local lead = from > 0 and wide == 1 and 1 or 0
local rows, rank = {}, from + 1
if from < till then
  rows = redis.call(range, key, from - lead, till - 1, 'WITHSCORES')
  if from > 0 and (dense or lead == 1 and rows[2] == rows[4]) then rank = ahead(other or key, rows[2]) + 1 end
else
  lead = 0
end
local head = now .. ';' .. size .. ';' .. whole(from) .. ';' .. whole(rank) .. ';'
rows[#rows + 1] = ''
return head .. table.concat(rows, ${fence}, 1 + 2 * lead)`);

/** What follows the keys. */
export function writeQuery(rules: RankingRules, query: RankingQuery): CommandArgument[] {
  const args: CommandArgument[] = [rules.order, rules.ties, query.count];
  if ('from' in query) args.push('from', query.from);
  else if ('around' in query) args.push('around', query.around);
  else if ('after' in query) {
    const entry = entryAt(query.after);
    args.push('after', entry.score, elementOf(rules, entry));
  } else args.push('between', boundOf(query.least), boundOf(query.most), query.skip);
  return args;
}

function elementOf(rules: RankingRules, { member, reached }: RankingEntry): string {
  return rules.ties === 'earliest' ? String(stampOf(rules, reached)).padStart(stampDigits, '0') + member : member;
}

/** Returns `undefined` if the reply is not what the script answers. */
export function readPage(reply: Reply, rules: RankingRules): RankingPage | undefined {
  const reader = readerOf(reply);
  if (reader === undefined) return undefined;
  const [now, size, from, rank] = [reader.number(), reader.number(), reader.number(), reader.number()];
  const entries: RankingEntry[] = [];
  while (reader.hasMore) entries.push(reader.entry(rules));
  if (!reader.isOver) return undefined;
  const last = entries.at(-1);
  const end = last === undefined ? undefined : markOf(last);
  return { rows: rankRows(rules.ties, entries, from, rank), from, size, end, now };
}

/**
 * ARGV: order, ties, members.
 *
 * Answers with the time, the number of members, and for each member its score, how many stand ahead of it, and with ties
 * `dense` how many better scores there are: `1700000000000;2;7,0;;`.
 */
export const findScript = rankingScript(`${clock}
local key, other = keys(1)
local answer = { now .. ';' .. look(key, other) .. ';' }
for arg = 3, #ARGV do
  local element, found = elementOf(other, ARGV[arg]), ';'
  local score = element and redis.call('ZSCORE', key, element)
  if score then
    found = score .. ','
    if earliest then found = found .. redis.call(descends and 'ZREVRANK' or 'ZRANK', key, element)
    else found = found .. ahead(key, score) end
    if dense then found = found .. ',' .. ahead(other, score) end
    found = found .. ';'
  end
  answer[#answer + 1] = found
end
return table.concat(answer)`);

/** Returns `undefined` if the reply is not what the script answers. */
export function readFound(reply: Reply, { ties }: RankingRules, members: number): RankingFound | undefined {
  const reader = readerOf(reply);
  if (reader === undefined) return undefined;
  const [now, size] = [reader.number(), reader.number()];
  const standings: (RankingStanding | null)[] = [];
  for (let place = 0; place < members; place += 1) {
    const score = reader.optional();
    if (score === null) {
      standings.push(null);
      continue;
    }
    const ahead = reader.number();
    standings.push({ score, ahead, rank: 1 + (ties === 'dense' ? reader.number() : ahead) });
  }
  return reader.isOver ? { standings, size, now } : undefined;
}
