/** P2: one load a key in the whole fleet, however many callers come at once. */
import { expect, it } from 'vitest';
import { type BackendName, hireCrew, startFleet } from './fleet.ts';
import type { SubjectName } from './subjects.ts';

const crew = hireCrew(4);
/** One noisy moment of the machine is not yet a broken promise, two are. */
const patience = { timeout: 180_000, retry: 1 };

/** Four processes with 250 callers each ask for one cold key; returns how often the origin was asked. */
async function stampede(
  backend: BackendName,
  subject: SubjectName,
  key: string,
): Promise<{ loads: number; accounts: unknown }> {
  const fleet = await startFleet(crew(), { backend, subject, seed: 1, originDelayMs: 60, wireDelays: false });
  const answers = await Promise.all(fleet.players.map((player) => player.call('readMany', { key, callers: 250 })));
  expect(answers.flat()).toEqual(Array.from({ length: 1000 }, () => 1));
  return { loads: fleet.origin.reads(key), accounts: await fleet.accounts() };
}

it.each(['redis', 'memcached'] as const)('loads once for 4 x 250 callers on %s', patience, async (backend) => {
  const { loads, accounts } = await stampede(backend, 'hotshelf', 'cold');
  expect(loads, JSON.stringify(accounts, null, 2)).toBe(1);
});

it('counts many loads of the naive cache (control)', patience, async () => {
  const { loads } = await stampede('redis', 'naive', 'cold');
  expect(loads).toBeGreaterThan(100);
});
