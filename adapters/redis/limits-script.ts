/** The Lua script that answers all takes of a tick: the arithmetic of `src/backend/limits` once more, for the server. */

import { script } from './scripts.ts';

/**
 * KEYS: of each question one key a plan, and its gate if it has one. ARGV: groups of questions with the same mode, cost and
 * plans, each as mode, cost, number of plans, number of questions, 1 if they have gates, and for each plan its kind, limit,
 * window and burst.
 *
 * What is stored is the kind and the window, then the usage: `s1000:1700000000,5,0,3`. Numbers travel as text, because Lua
 * rounds a number reply down and prints 14 digits. The answer is one text, as one is read faster than many: the time, and for
 * each question whether it was allowed and the usages, `1700000000000|0;1700000000,5,0,3;1700000000000,250|…`. Where there was
 * room, the parts of a sliding window are answered in sum: nobody has to know when the first of them ends. A key that holds
 * something of another kind is answered with `E`: an error would leave in doubt which of the others were charged.
 *
 * All keys are in KEYS, nothing is written before everything of one question was read, and the server's time does not move
 * while it runs.
 */
export const limitsScript = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local s, t, f = {}, {}, {}

function s.view(plan, usage)
  local newest = tonumber(usage[1])
  if not newest then return {}, plan.limit end
  local part = math.floor(now * 10 / plan.window)
  local passed = math.max(0, part - newest)
  if passed > 10 then return {}, plan.limit end
  local view, free = { whole(part) }, plan.limit
  for place = 2, passed + 1 do view[place] = '0' end
  for place = 2, math.min(#usage, 12 - passed) do
    view[place + passed] = usage[place]
    free = free - usage[place]
  end
  return view, free
end
function s.add(plan, usage, cost)
  if not usage[1] then usage[1] = whole(math.floor(now * 10 / plan.window)) end
  usage[2] = whole((usage[2] or 0) + cost)
end
function s.give(plan, usage, cost)
  local left = 0
  for place = #usage, 2, -1 do
    local given = math.min(cost, tonumber(usage[place]))
    cost = cost - given
    left = left + usage[place] - given
    usage[place] = whole(usage[place] - given)
  end
  return left > 0
end
function s.ttl(plan, usage) return math.ceil((usage[1] + 11) * plan.window / 10) - now end

function t.view(plan, usage)
  local missing = 0
  if usage[2] then missing = usage[2] - math.max(0, now - usage[1]) * plan.limit end
  if missing <= 0 then return {}, plan.burst end
  return { whole(now), whole(missing) }, math.floor((plan.burst * plan.window - missing) / plan.window)
end
function t.add(plan, usage, cost)
  usage[1] = whole(now)
  usage[2] = whole((usage[2] or 0) + cost * plan.window)
end
function t.give(plan, usage, cost)
  local missing = usage[2] - cost * plan.window
  usage[2] = whole(math.max(0, missing))
  return missing > 0
end
function t.ttl(plan, usage) return math.ceil(usage[2] / plan.limit) end

function f.view(plan, usage)
  local current = math.floor(now / plan.window)
  if not usage[2] or tonumber(usage[1]) < current then return {}, plan.limit end
  return { whole(current), usage[2] }, plan.limit - usage[2]
end
function f.add(plan, usage, cost)
  usage[1] = whole(math.floor(now / plan.window))
  usage[2] = whole((usage[2] or 0) + cost)
end
function f.give(plan, usage, cost)
  local left = usage[2] - cost
  usage[2] = whole(math.max(0, left))
  return left > 0
end
function f.ttl(plan, usage) return (usage[1] + 1) * plan.window - now end

local kinds = { s = s, t = t, f = f }

local function read(key, shape)
  local text = redis.pcall('GET', key)
  if type(text) == 'table' then return nil end
  local usage = {}
  if text and string.sub(text, 1, #shape) == shape then
    for number in string.gmatch(string.sub(text, #shape + 1), '%d+') do usage[#usage + 1] = number end
  end
  return usage
end

local function write(key, plan, usage)
  redis.call('SET', key, plan.shape .. table.concat(usage, ','), 'PX', whole(plan.kind.ttl(plan, usage)))
end

local function answer(mode, cost, plans, first, gated)
  if mode == 'reset' then
    for place = 1, #plans do redis.call('DEL', KEYS[first + place]) end
    return '1'
  end
  local usages, free, ahead, fits = {}, {}, {}, true
  for place, plan in ipairs(plans) do
    local usage = read(KEYS[first + place], plan.shape)
    if not usage then return 'E' end
    usages[place], free[place] = plan.kind.view(plan, usage)
    ahead[place] = usages[place][1] and tonumber(usage[1]) > tonumber(usages[place][1])
    fits = fits and cost <= free[place]
  end
  local texts = { fits and '1' or '0' }
  if gated == 1 then
    local shut = redis.call('PTTL', KEYS[first + #plans + 1])
    if shut > 0 then
      fits = false
      texts[1] = texts[1] .. '!' .. whole(shut)
    end
  end
  for place, plan in ipairs(plans) do
    local key, usage = KEYS[first + place], usages[place]
    local charged = 0
    if mode == 'charge' then charged = math.max(0, math.min(cost, free[place]))
    elseif mode == 'take' and fits then charged = cost end
    if charged > 0 then plan.kind.add(plan, usage, charged) end
    if mode == 'give' and usage[1] then
      if plan.kind.give(plan, usage, cost) then write(key, plan, usage) else redis.call('DEL', key) end
    elseif charged > 0 or (ahead[place] and mode ~= 'look') then
      write(key, plan, usage)
    end
    if fits and plan.kind == s and #usage > 2 then
      texts[place + 1] = usage[1] .. ',' .. whole(plan.limit - free[place] + charged)
    else
      texts[place + 1] = table.concat(usage, ',')
    end
  end
  return table.concat(texts, ';')
end

local answers, key, arg = { whole(now) }, 0, 1
while ARGV[arg] do
  local mode, cost = ARGV[arg], tonumber(ARGV[arg + 1])
  local count, questions, gated = tonumber(ARGV[arg + 2]), tonumber(ARGV[arg + 3]), tonumber(ARGV[arg + 4])
  arg = arg + 5
  local plans = {}
  for place = 1, count do
    local kind, window = ARGV[arg], ARGV[arg + 2]
    plans[place] = {
      kind = kinds[kind],
      shape = kind .. window .. ':',
      limit = tonumber(ARGV[arg + 1]),
      window = tonumber(window),
      burst = tonumber(ARGV[arg + 3]),
    }
    arg = arg + 4
  end
  for _ = 1, questions do
    answers[#answers + 1] = answer(mode, cost, plans, key, gated)
    key = key + count + gated
  end
end
return table.concat(answers, '|')`);
