/** Goes through the keys of a server, or of all masters of a Cluster. */

import type { Reply } from './client.ts';
import type { Lane } from './lane.ts';
import type { Nodes } from './nodes.ts';

/** How many keys a server looks at in one step, where it is ours to say. */
const step = 500;

/**
 * Goes through the keys of all masters; a key may come twice, as it may with `SCAN`. Fails rather than pass over a server
 * that does not answer. A key whose slot is being handed to another master just then may be missed.
 *
 * @param match a pattern of Redis for what stands after the prefix of the client
 */
export async function* scan(nodes: Nodes, match: string, count: number): AsyncGenerator<string[], void, undefined> {
  const { keyPrefix } = nodes;
  const pattern = escaped(keyPrefix) + match;
  const done = new Set<Lane>();
  // Asked anew each time: a slot may have moved to a master that was not there at the start.
  const next = async () => (await nodes.masters()).find((lane) => !done.has(lane));
  for (let lane = await next(); lane !== undefined; lane = await next()) {
    done.add(lane);
    let cursor = '0';
    do {
      const reply = await lane.run('scan', [cursor, 'MATCH', pattern, 'COUNT', count]);
      const [position, keys] = Array.isArray(reply) ? reply : [];
      cursor = textOf(position) ?? '0';
      if (Array.isArray(keys)) yield keys.map((key) => (textOf(key) ?? '').slice(keyPrefix.length));
    } while (cursor !== '0');
  }
}

/** As `scan`, through the keys that begin with `prefix`. */
export function scanFrom(nodes: Nodes, prefix: string): AsyncGenerator<string[], void, undefined> {
  return scan(nodes, `${escaped(prefix)}*`, step);
}

/** Goes through the keys that begin with `prefix`, in portions that are not empty; each key once. */
export async function* keysFrom(nodes: Nodes, prefix: string): AsyncGenerator<readonly string[], void, undefined> {
  const known = new Set<string>();
  for await (const keys of scanFrom(nodes, prefix)) {
    const before = known.size;
    const fresh = keys.filter((key) => !known.has(key) && known.add(key));
    if (known.size > before) yield fresh;
  }
}

export function textOf(reply: Reply | undefined): string | null {
  if (reply === undefined || reply === null) return null;
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply);
}

/** A text as a pattern that matches it alone. */
function escaped(text: string): string {
  return text.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`);
}
