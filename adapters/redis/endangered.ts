/** Says whether a server may drop keys before their time to make room. */

import type { Reply } from './client.ts';
import type { Nodes } from './nodes.ts';

/** Returns a sentence about the first server that may; `undefined` if none would, or none says so. Never rejects. */
export async function endangered(nodes: Nodes): Promise<string | undefined> {
  try {
    for (const lane of await nodes.masters()) {
      const warning = warningIn(lane.server, await lane.run('info', ['memory']));
      if (warning !== undefined) return warning;
    }
  } catch {
    // A server that is down, or keeps this to itself.
  }
  return undefined;
}

function warningIn(server: string, reply: Reply): string | undefined {
  const info = Buffer.isBuffer(reply) ? reply.toString('latin1') : String(reply);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const most = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  if (policy === 'noeviction' || most === 0) return undefined;
  return `${server} drops keys when its memory is full (maxmemory-policy ${policy}): set it to noeviction, or give rankings a server of their own.`;
}
