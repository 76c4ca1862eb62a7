/** The cases of the limits facet that are about time. */

import assert from 'node:assert/strict';
import type { Plan } from '../backend/limits.ts';
import type { Define, Trial } from './suite.ts';

/** What the clocks of two machines, their timers and whole ms may differ by. */
const slackMs = 4;
/** How late there may be room: the clock of a server may be set back by some ms meanwhile. */
const lateMs = 25;
const longestMs = 366 * 86_400_000;

export function defineLimitTimes(it: Define<'limits'>): void {
  const windowMs = 400;
  const plans: readonly Plan[] = [
    { algorithm: 'sliding-window', limit: 4, windowMs },
    { algorithm: 'token-bucket', limit: 4, windowMs, burst: 4 },
    { algorithm: 'fixed-window', limit: 4, windowMs },
  ];
  for (const plan of plans) {
    it(`has room after the time that it said, and not before: ${plan.algorithm}`, async (trial) => {
      const keys = [trial.key()];
      await exhaust(trial, keys, plan);
      await expectRoom(trial, keys, plan, 2);
    });

    it(`has everything after the time that it said: ${plan.algorithm}`, async (trial) => {
      const { backend } = trial;
      const keys = [trial.key()];
      await backend.limits.take(keys, [plan], 3);
      const { standings } = await backend.limits.look(keys, [plan], 4);
      await trial.wait((standings[0]?.resetMs ?? 0) + lateMs);
      const { allowed, standings: after } = await backend.limits.look(keys, [plan], 4);
      assert.ok(allowed);
      assert.deepEqual(after, [{ remaining: 4, resetMs: 0, retryAfterMs: 0 }]);
    });
  }

  it('never admits more than the limit of a sliding window in any window', async (trial) => {
    const plan: Plan = { algorithm: 'sliding-window', limit: 5, windowMs: 100 };
    const keys = [trial.key()];
    const admitted: { readonly before: number; readonly after: number }[] = [];
    while (trial.elapsed() < 600) {
      const before = trial.elapsed();
      const { allowed } = await trial.backend.limits.take(keys, [plan], 1);
      if (allowed) admitted.push({ before, after: trial.elapsed() });
      await trial.wait(admitted.length % 3 === 0 ? 7 : 1);
    }
    for (const [index, { after }] of admitted.entries()) {
      const earlier = admitted[index - plan.limit];
      const span = earlier === undefined ? Infinity : after - earlier.before;
      assert.ok(span >= plan.windowMs - slackMs, `${plan.limit + 1} within ${span} ms`);
    }
    assert.ok(admitted.length >= 2 * plan.limit, `only ${admitted.length} were admitted`);
  });

  it('refills a token bucket evenly', async (trial) => {
    const plan: Plan = { algorithm: 'token-bucket', limit: 10, windowMs: 200, burst: 3 };
    const keys = [trial.key()];
    const startedAt = trial.elapsed();
    let admitted = 0;
    while (trial.elapsed() - startedAt < 500) {
      if ((await trial.backend.limits.take(keys, [plan], 1)).allowed) admitted += 1;
      const most = 3 + (trial.elapsed() - startedAt + slackMs) / 20;
      assert.ok(admitted <= most, `${admitted} instead of ${most}`);
      await trial.wait(2);
    }
    assert.ok(admitted >= 13, `only ${admitted} were admitted`);
  });

  it('knows windows from 10 ms to 366 days', async (trial) => {
    const { limits } = trial.backend;
    const [short, long] = [trial.key(), trial.key()];
    const shortPlan: Plan = { algorithm: 'sliding-window', limit: 1, windowMs: 10 };
    const longPlan: Plan = { algorithm: 'sliding-window', limit: 1, windowMs: longestMs };
    await limits.take([short], [shortPlan], 1);
    await limits.take([long], [longPlan], 1);
    await trial.wait(11 + lateMs);
    assert.ok((await limits.take([short], [shortPlan], 1)).allowed);
    const { allowed, standings } = await limits.take([long], [longPlan], 1);
    assert.equal(allowed, false);
    const { retryAfterMs = 0 } = standings[0] ?? {};
    assert.ok(retryAfterMs > longestMs - 10_000 && retryAfterMs <= 1.1 * longestMs, `${retryAfterMs} ms`);
  });
}

async function exhaust({ backend }: Trial<'limits'>, keys: readonly string[], plan: Plan): Promise<void> {
  for (let taken = true; taken;) taken = (await backend.limits.take(keys, [plan], 1)).allowed;
}

/** Asks again and again until there is room for `cost`, which must be when the first answer said. */
async function expectRoom(trial: Trial<'limits'>, keys: readonly string[], plan: Plan, cost: number): Promise<void> {
  const { limits } = trial.backend;
  const before = trial.elapsed();
  const refused = await limits.take(keys, [plan], cost);
  // A machine that held everything up for a window.
  if (refused.allowed) return expectRoom(trial, keys, plan, cost);
  const after = trial.elapsed();
  const { retryAfterMs = 0 } = refused.standings[0] ?? {};
  assert.ok(retryAfterMs > 0 && retryAfterMs <= 1.1 * plan.windowMs, `to be asked again after ${retryAfterMs} ms`);
  for (;;) {
    const askedAt = trial.elapsed();
    const { allowed } = await limits.look(keys, [plan], cost);
    const answeredAt = trial.elapsed();
    if (allowed) {
      assert.ok(answeredAt >= before + retryAfterMs - slackMs, `room after ${answeredAt - before} ms`);
      break;
    }
    assert.ok(askedAt <= after + retryAfterMs + lateMs, `no room after ${askedAt - after} ms of ${retryAfterMs}`);
    await trial.wait(3);
  }
  // Of several that ask at once, as many get in as there is room for.
  const room = Math.floor(((await limits.look(keys, [plan], 0)).standings[0]?.remaining ?? 0) / cost);
  const taken = await Promise.all(Array.from({ length: 4 }, () => limits.take(keys, [plan], cost)));
  const allowed = taken.filter((one) => one.allowed).length;
  assert.ok(allowed >= Math.min(room, 4), `${allowed} of ${room} got in`);
}
