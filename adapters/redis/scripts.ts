/** The Lua scripts, each one short: what Redis has no single command for. */

import { createHash } from 'node:crypto';
import type { CommandArgument, Reply } from './client.ts';
import { replyCode } from './errors.ts';
import type { Nodes } from './nodes.ts';

export interface Script {
  readonly sha: string;
  readonly source: string;
}

export function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** True if KEYS[1] holds the state that ARGV[1] names. */
const isState = `redis.call('GETRANGE', KEYS[1], 0, 7) == ARGV[1] and (ARGV[1] ~= '' or redis.call('EXISTS', KEYS[1]) == 1)`;

/** ARGV: version, new bytes, lifetime in ms or ''. */
export const casScript = script(`
if not (${isState}) then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

/** ARGV: version. */
export const deleteIfScript = script(`
if not (${isState}) then return 0 end
return redis.call('DEL', KEYS[1])`);

export const persistScript = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('PERSIST', KEYS[1])
return 1`);

export const takeScript = script(`
local data = redis.call('GET', KEYS[1])
if data then redis.call('DEL', KEYS[1]) end
return data`);

export const readWithTtlScript = script(`return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}`);

/**
 * ARGV: what to add, lifetime in ms or ''. Numbers travel as text: Lua has doubles, exact up to 2^53.
 */
export const countScript = script(`
local fresh = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum > 9007199254740991 then
  redis.call('DECRBY', KEYS[1], ARGV[1])
  if fresh then redis.call('DEL', KEYS[1]) end
  return redis.error_reply('COUNTLIMIT the sum would pass 2^53 - 1')
end
if sum < 0 then
  redis.call('INCRBY', KEYS[1], string.format('%.0f', -sum))
  sum = 0
end
if fresh and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return string.format('%.0f', sum)`);

/** Names a key only to be refused by a server that does not own its slot. ARGV: topic, message. */
export const publishScript = script(`return redis.call('PUBLISH', ARGV[1], ARGV[2])`);

/**
 * Runs a script on the node of `key`, and before everything that is sent later: by its source, which costs the server one
 * microsecond more. By its hash a server that does not know it would be asked twice.
 */
export function runInOrder(
  nodes: Nodes,
  { source }: Script,
  key: string,
  args: readonly CommandArgument[],
): Promise<Reply> {
  return nodes.run(key, 'eval', [source, 1, key, ...args]);
}

/** Runs a script on the node of `key`. */
export function runScript(nodes: Nodes, what: Script, key: string, args: readonly CommandArgument[]): Promise<Reply> {
  return runScriptOn(nodes, what, [key], args);
}

/** Runs a script on the node of `keys`, which lie in one slot. */
export async function runScriptOn(
  nodes: Nodes,
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly CommandArgument[],
): Promise<Reply> {
  const [key = ''] = keys;
  try {
    return await nodes.run(key, 'evalsha', [sha, keys.length, ...keys, ...args]);
  } catch (error) {
    // The server does not know the script, so it ran nothing: the one error after which a write may be sent again.
    if (replyCode(error) !== 'NOSCRIPT') throw error;
    return await nodes.run(key, 'eval', [source, keys.length, ...keys, ...args]);
  }
}
