/** Counts the loads when a thousand callers in four processes ask for one cold key. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { startMemcached, startRedis } from '../test/kit/servers.ts';
import { grid } from './measure.ts';
import type { StampedeOrder } from './stampede.worker.ts';

const processes = 4;
const callers = 250;
const servers = { redis: startRedis, memcached: startMemcached } as const;

/** Resolves with the loads that the process counted. */
async function answerOf(child: ChildProcess, order: StampedeOrder | 'begin'): Promise<number> {
  const left = new AbortController();
  const gone = once(child, 'exit', { signal: left.signal }).then(([code]) => {
    throw new Error(`A process of the stampede ended with ${String(code)}.`);
  });
  const answered = once(child, 'message', { signal: left.signal }).then(
    ([answer]: { loads?: number }[]) => answer?.loads ?? 0,
  );
  child.send(order);
  try {
    return await Promise.race([answered, gone]);
  } finally {
    left.abort();
    await Promise.allSettled([answered, gone]);
  }
}

/** A server and processes for each: nothing is left from another run. */
async function loads(name: keyof typeof servers, naive: boolean): Promise<number> {
  const server = await servers[name]();
  const children = Array.from({ length: processes }, () => fork(new URL('./stampede.worker.ts', import.meta.url)));
  try {
    await Promise.all(children.map((child) => answerOf(child, { url: server.url, naive, callers })));
    const counts = await Promise.all(children.map((child) => answerOf(child, 'begin')));
    return counts.reduce((sum, count) => sum + count, 0);
  } finally {
    for (const child of children) child.kill();
    await server.stop();
  }
}

export async function stampede(): Promise<string> {
  const rows: [string, number, number][] = [];
  for (const name of ['redis', 'memcached'] as const) {
    rows.push([name, await loads(name, true), await loads(name, false)]);
  }
  const title = `${processes} processes, ${callers} callers each, one cold key`;
  return `## Stampede: ${title}\n\n${grid(['', 'loads of a naive cache', 'loads of **hotshelf**'], rows)}\n`;
}
