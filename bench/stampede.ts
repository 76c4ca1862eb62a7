/** Counts the loads when a thousand callers in four processes ask for one cold key. */
import { startFleet } from '../test/linearizability/fleet.ts';

async function loads(backend: 'redis' | 'memcached', subject: 'hotshelf' | 'naive'): Promise<number> {
  const fleet = await startFleet({ backend, subject, processes: 4, seed: 1, originDelayMs: 60, wireDelays: false });
  try {
    await Promise.all(fleet.players.map((player) => player.call('readMany', { key: 'cold', callers: 250 })));
    return fleet.origin.reads('cold');
  } finally {
    await fleet.stop();
  }
}

export async function stampede(): Promise<string> {
  const rows: string[] = [];
  for (const backend of ['redis', 'memcached'] as const) {
    rows.push(`| ${backend} | ${await loads(backend, 'naive')} | ${await loads(backend, 'hotshelf')} |`);
  }
  return `## Stampede: 4 processes, 250 callers each, one cold key\n\n| | loads of a naive cache | loads of **hotshelf** |\n| --- | ---: | ---: |\n${rows.join('\n')}\n`;
}
