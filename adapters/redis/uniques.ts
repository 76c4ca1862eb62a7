/** The uniques facet on Redis: HyperLogLogs, those of a tick under one key noted by one script. */

import { checkAdd, checkCount } from '../../src/backend/uniques/check.ts';
import type { Uniques } from '../../src/backend/uniques.ts';
import type { HotshelfError } from '../../src/support/errors.ts';
import { lifetime } from './lifetime.ts';
import type { Nodes } from './nodes.ts';
import { runScript, script } from './scripts.ts';
import { type Joinable, Together } from './together.ts';

/** ARGV: lifetime in ms or '', members. */
const noteScript = script(`
local fresh = redis.call('EXISTS', KEYS[1]) == 0
redis.call('PFADD', KEYS[1], unpack(ARGV, 2))
if fresh and ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`);

interface Note extends Joinable {
  readonly members: readonly string[];
  readonly ttlMs: number;
  readonly answer: () => void;
  readonly fail: (error: HotshelfError) => void;
}

/** Lua hands over no more than some thousand values at once. */
const membersPerCall = 1000;

export class RedisUniques implements Uniques {
  readonly #nodes: Nodes;
  readonly #notes: Together<Note>;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#notes = new Together({
      areAlike: (one, other) => one.ttlMs === other.ttlMs,
      mostWeight: membersPerCall,
      send: (notes) => void this.#note(notes),
    });
  }

  async add(key: string, members: readonly string[], ttlMs: number): Promise<void> {
    checkAdd(key, members, ttlMs);
    return new Promise((answer, fail: (error: HotshelfError) => void) => {
      this.#notes.add({ group: key, weight: members.length, members, ttlMs, answer, fail });
    });
  }

  async count(keys: readonly string[]): Promise<number> {
    checkCount(keys);
    const names = keys.map((key) => this.#nodes.keyPrefix + key);
    return Number(await this.#nodes.run(names[0] ?? '', 'pfcount', names));
  }

  async #note(notes: readonly [Note, ...Note[]]): Promise<void> {
    const [{ group, ttlMs }] = notes;
    const args = [lifetime(ttlMs) ?? '', ...notes.flatMap(({ members }) => members)];
    try {
      await runScript(this.#nodes, noteScript, this.#nodes.keyPrefix + group, args);
      for (const note of notes) note.answer();
    } catch (error) {
      for (const note of notes) note.fail(error as HotshelfError);
    }
  }
}
