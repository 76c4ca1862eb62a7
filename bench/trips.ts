/** Counts what a hit, a miss, an invalidation and a mutation ask of Redis. */
import { startRedis } from '../test/kit/servers.ts';
import { createCache, redisOn } from './hotshelf.ts';
import { grid } from './measure.ts';
import { countingWire } from './wire.ts';

export async function trips(): Promise<string> {
  const server = await startRedis();
  const wire = await countingWire(server);
  const backend = await redisOn(wire.port);
  const cache = createCache({ backend, ttl: '1h' });
  const load = async () => ({ id: 7 });
  // The first load also makes the epoch and teaches the server the scripts.
  await cache.get('warm', load);
  await cache.invalidate('warm');
  await cache.mutate(['warm'], load);
  const rows: (readonly [string, number, number])[] = [];
  const count = async (name: string, operation: () => Promise<unknown>) => {
    const counted = await wire.count(operation);
    rows.push([name, counted.commands, counted.trips]);
  };
  await count('miss: read, lease, load, fill', () => cache.get('row', load));
  await count('hit', () => cache.get('row', load));
  await count('invalidate', () => cache.invalidate('row'));
  await count('mutate', () => cache.mutate(['row'], load));
  await cache.close();
  await backend.close();
  wire.close();
  await server.stop();
  const head = ['', 'commands, with those inside scripts', 'round trips'];
  return `## What it asks of Redis\n\n${grid(head, rows)}\n`;
}
