/** Shows that a limit holds over processes and clients: exactly, in every window, and around the boundary of one. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../kit/servers.ts';
import { startWorker, type Worker } from '../kit/workers.ts';
import type { CallerHandlers, Round } from './callers.worker.ts';
import { mostWithin, openLedger } from './ledger.ts';
import type { Kind } from './takers.ts';

const limit = 100;
const windowMs = 1000;
const processes = 2;
const clients = 4;

/** Time for a call to reach the other processes. */
const leadMs = 300;

type Caller = Worker<CallerHandlers>;

async function callersOf(kind: Kind, url: string): Promise<readonly Caller[]> {
  const file = new URL('./callers.worker.ts', import.meta.url);
  const callers = await Promise.all(Array.from({ length: processes }, () => startWorker<CallerHandlers>(file)));
  onTestFinished(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
  });
  await Promise.all(callers.map((caller) => caller.call('open', { kind, url, limit, windowMs, clients })));
  // Compiled before it counts.
  for (let round = 0; round < 3; round += 1) await burst(callers, 'warm', Date.now(), 2 * limit);
  return callers;
}

async function burst(callers: readonly Caller[], key: string, at: number, count: number): Promise<Round> {
  return joined(await Promise.all(callers.map((one) => one.call('burst', { key, at, count: count / callers.length }))));
}

function joined(rounds: readonly Round[]): Round {
  return {
    admitted: rounds.flatMap(({ admitted }) => admitted),
    takes: rounds.reduce((sum, { takes }) => sum + takes, 0),
    from: Math.min(...rounds.map(({ from }) => from)),
    to: Math.max(...rounds.map(({ to }) => to)),
  };
}

interface Attack {
  readonly first: Round;
  readonly before: Round;
  readonly after: Round;
}

/** 1 when a window begins, `limit` shortly before its end, and `limit` shortly after. */
async function attack(callers: readonly Caller[], key: string): Promise<Attack> {
  const start = Math.ceil((Date.now() + leadMs) / windowMs) * windowMs;
  const [first, before, after] = await Promise.all([
    burst(callers.slice(0, 1), key, start, 1),
    burst(callers, key, start + 930, limit),
    burst(callers, key, start + 1040, limit),
  ]);
  return { first, before, after };
}

/** True if the bursts came as they should have: in the window that the first began, after it, and all within one span. */
function isTimely({ first, before, after }: Attack): boolean {
  const windowEnds = { earliest: first.from + windowMs, latest: first.to + windowMs };
  return before.to < windowEnds.earliest && after.from > windowEnds.latest && after.to - before.from < windowMs;
}

/** A machine that others use too pauses now and then: attacks until one came at its time. Each has a key of its own. */
async function timelyAttack(callers: readonly Caller[], look: (key: string) => Promise<void>): Promise<Attack> {
  for (let attempt = 0; attempt < 15; attempt += 1) {
    const key = `attack-${attempt}`;
    const made = await attack(callers, key);
    await look(key);
    if (isTimely(made)) return made;
  }
  throw new Error('The machine was too slow for every attack.');
}

describe(`${limit} a second, for ${processes} processes with ${clients} clients each`, () => {
  it('admits exactly 500 in 5 s, and never more than 100 in any second', { timeout: 180_000, retry: 1 }, async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const ledger = await openLedger(server);
    const callers = await callersOf('hotshelf', server.url);
    const at = Date.now() + leadMs;
    const until = at + 5000;
    const round = joined(await Promise.all(callers.map((one) => one.call('flood', { key: 'flood', at, until }))));
    const charged = (await ledger.charges('flood')).filter((chargedAt) => chargedAt < until);
    expect(charged).toHaveLength(500);
    expect(mostWithin(windowMs, charged)).toBe(limit);
    // Nobody passed who was not charged, everybody was charged who passed, and there was more to refuse.
    expect(round.admitted.filter(({ answeredAt }) => answeredAt < until)).toHaveLength(500);
    expect(round.takes).toBeGreaterThan(1000);
  });

  it('admits at most 100 around the boundary of a window', { timeout: 360_000 }, async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const ledger = await openLedger(server);
    const callers = await callersOf('hotshelf', server.url);
    const { first, before, after } = await timelyAttack(callers, async (key) => {
      const charged = await ledger.charges(key);
      // Whether or not it came at its time.
      expect(mostWithin(windowMs, charged)).toBeLessThanOrEqual(limit);
      expect(charged.length).toBeGreaterThanOrEqual(limit);
    });
    expect(first.admitted).toHaveLength(1);
    expect(before.admitted).toHaveLength(limit - 1);
    expect(before.admitted.length + after.admitted.length).toBeLessThanOrEqual(limit);
  });

  for (const kind of ['hotshelf with fixed windows', 'rate-limit-redis', 'rate-limiter-flexible'] as const) {
    it(`is not kept around the boundary by ${kind} (control)`, { timeout: 360_000 }, async () => {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const { before, after } = await timelyAttack(await callersOf(kind, server.url), async () => {});
      expect(before.admitted.length + after.admitted.length).toBe(2 * limit - 1);
    });
  }
});
