/** Reads what other programs stored in Redis, without the version that stands before our own values. */

import { checkKey } from '../../src/backend/check.ts';
import type { Foreign, ForeignValue } from '../../src/backend/values.ts';
import type { Nodes } from './nodes.ts';
import { scanFrom } from './scan.ts';
import { readWithTtlScript, runScript } from './scripts.ts';
import { TextCommands } from './text-commands.ts';

export class RedisForeign implements Foreign {
  readonly #nodes: Nodes;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  async read(key: string): Promise<ForeignValue | undefined> {
    checkKey(key);
    const reply = await runScript(this.#nodes, readWithTtlScript, this.#nodes.keyPrefix + key, []);
    const [bytes, ttlMs] = Array.isArray(reply) ? reply : [];
    if (!Buffer.isBuffer(bytes)) return undefined;
    return { bytes, ttlMs: Number(ttlMs) < 0 ? Infinity : Number(ttlMs) };
  }

  async clear(prefix: string): Promise<void> {
    checkKey(prefix);
    const commands = new TextCommands(this.#nodes);
    for await (const keys of scanFrom(this.#nodes, prefix)) await commands.delete(keys);
  }
}
