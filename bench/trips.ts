/** Counts what a hit, a miss, an invalidation and a mutation ask of Redis: commands, and round trips on the wire. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { createCache, redis } from './hotshelf.ts';
import { type RedisServer, startRedis } from '../test/kit/servers.ts';
import { sleep } from '../test/kit/wait.ts';

/** A wire that counts what the client sends: with one operation at a time, each sending is one round trip. */
async function countingWire(target: RedisServer) {
  const wire = { sendings: 0, port: 0, close: () => {} };
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    client.on('data', (data) => {
      wire.sendings += 1;
      upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  wire.port = (server.address() as AddressInfo).port;
  wire.close = () => server.close();
  return wire;
}

async function commands(server: RedisServer): Promise<number> {
  const text = String(await server.cli('INFO', 'stats'));
  return Number(/total_commands_processed:(\d+)/.exec(text)?.[1]);
}

export async function trips(): Promise<string> {
  const server = await startRedis();
  const wire = await countingWire(server);
  const backend = redis(`redis://127.0.0.1:${wire.port}`);
  const cache = createCache({ backend, ttl: '1h' });
  const load = async () => ({ id: 7 });
  // The first load also makes the epoch and teaches the server the scripts.
  await cache.get('warm', load);
  await cache.invalidate('warm');
  await cache.mutate(['warm'], load);
  const rows: string[] = [];
  const count = async (name: string, operation: () => Promise<unknown>) => {
    await sleep(50);
    const before = { commands: await commands(server), sendings: wire.sendings };
    await operation();
    await sleep(50);
    const after = { commands: await commands(server), sendings: wire.sendings };
    // One of the commands is the INFO that counts, and the server counts commands that a script runs too.
    rows.push(`| ${name} | ${after.commands - before.commands - 1} | ${after.sendings - before.sendings} |`);
  };
  await count('miss: read, lease, load, fill', () => cache.get('row', load));
  await count('hit', () => cache.get('row', load));
  await count('invalidate', () => cache.invalidate('row'));
  await count('mutate', () => cache.mutate(['row'], load));
  await cache.close();
  await backend.close();
  wire.close();
  await server.stop();
  return `## What it asks of Redis\n\n| | commands, with those inside scripts | round trips |\n| --- | ---: | ---: |\n${rows.join('\n')}\n`;
}
