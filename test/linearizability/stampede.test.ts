/** P2: one load a key in the whole fleet, however many callers come at once. */
import { expect, it, onTestFinished } from 'vitest';
import { type BackendName, startFleet } from './fleet.ts';
import type { SubjectName } from './subject.ts';

/** Four processes with 250 callers each ask for one cold key; returns how often the origin was asked. */
async function stampede(
  backend: BackendName,
  subject: SubjectName,
  key: string,
): Promise<{ loads: number; accounts: unknown }> {
  const fleet = await startFleet({ backend, subject, processes: 4, seed: 1, originDelayMs: 60, wireDelays: false });
  onTestFinished(() => fleet.stop());
  const answers = await Promise.all(fleet.players.map((player) => player.call('readMany', { key, callers: 250 })));
  expect(answers.flat()).toEqual(Array.from({ length: 1000 }, () => 1));
  const loads = fleet.origin.reads(key);
  const accounts = await Promise.all(fleet.players.map((player) => player.call('account')));
  return { loads, accounts };
}

it.each(['redis', 'memcached'] as const)(
  'loads once for 4 x 250 callers on %s',
  { timeout: 60_000 },
  async (backend) => {
    const { loads, accounts } = await stampede(backend, 'hotshelf', 'cold');
    expect(loads, JSON.stringify(accounts, null, 2)).toBe(1);
  },
);

it('counts many loads of the naive cache (control)', { timeout: 60_000 }, async () => {
  const { loads } = await stampede('redis', 'naive', 'cold');
  expect(loads).toBeGreaterThan(100);
});
