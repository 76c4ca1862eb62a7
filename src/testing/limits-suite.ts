/** The conformance suite of the limits facet. */

import assert from 'node:assert/strict';
import type { Limits, Plan, Taken } from '../backend/limits.ts';
import { defineLimitTimes } from './limits-times.ts';
import { expectError, expectExpiry, suite, type ConformanceCase, type Define, type SuiteOptions } from './suite.ts';

export interface LimitsSuiteOptions extends SuiteOptions<'limits'> {
  /**
   * False for a store that cannot check and charge in one step: it never admits more than the limit, but callers that meet at
   * the limit may be refused although there is room, and those of one moment are decided in no order. @default true
   */
  readonly exact?: boolean;
}

/** Longer than any test; the next window begins with the next year but one at the earliest. */
const longMs = 366 * 86_400_000;
const plansOf = (limit: number): readonly Plan[] => [
  { algorithm: 'sliding-window', limit, windowMs: longMs },
  { algorithm: 'token-bucket', limit, windowMs: longMs, burst: limit },
  { algorithm: 'fixed-window', limit, windowMs: longMs },
];
const [sliding = {} as never] = plansOf(5);

/**
 * Returns the cases that the limits of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of limitsSuite({ create })) it(name, run);
 */
export function limitsSuite(options: LimitsSuiteOptions): readonly ConformanceCase[] {
  const { exact = true } = options;
  return suite(options, (it) => {
    defineDecisionCases(it);
    defineTogetherCases(it, exact);
    defineGivingCases(it);
    defineGateCases(it);
    defineRaceCases(it, exact);
    defineLimitTimes(it);
    defineRefusalCases(it);
  });
}

/** What a take said in short: whether it was allowed, and what remains of each plan. */
function said({ allowed, standings }: Taken): readonly (boolean | number)[] {
  return [allowed, ...standings.map(({ remaining }) => remaining)];
}

async function left(limits: Limits, key: string, plan: Plan): Promise<number | undefined> {
  return (await limits.look([key], [plan], 1)).standings[0]?.remaining;
}

function defineDecisionCases(it: Define<'limits'>): void {
  for (const plan of plansOf(5)) {
    it(`admits the limit and no more: ${plan.algorithm}`, async ({ backend: { limits }, peer, key }) => {
      const keys = [key()];
      for (const remaining of [4, 3, 2, 1, 0]) {
        const taken = await limits.take(keys, [plan], 1);
        assert.deepEqual(said(taken), [true, remaining]);
        assert.equal(taken.standings[0]?.retryAfterMs, 0);
        assert.ok((taken.standings[0]?.resetMs ?? 0) > 0);
      }
      for (const side of [limits, peer.limits, limits]) {
        const refused = await side.take(keys, [plan], 1);
        assert.deepEqual(said(refused), [false, 0]);
        const { retryAfterMs = 0, resetMs = 0 } = refused.standings[0] ?? {};
        assert.ok(retryAfterMs > 0 && retryAfterMs <= resetMs, `retry after ${retryAfterMs}, reset after ${resetMs}`);
      }
    });

    it(`charges nothing for what it refuses: ${plan.algorithm}`, async ({ backend: { limits }, key }) => {
      const keys = [key()];
      assert.deepEqual(said(await limits.take(keys, [plan], 3)), [true, 2]);
      assert.deepEqual(said(await limits.take(keys, [plan], 3)), [false, 2]);
      assert.deepEqual(said(await limits.take(keys, [plan], 2)), [true, 0]);
    });
  }

  it('looks without charging, and answers as a take would', async ({ backend: { limits }, key }) => {
    const keys = [key()];
    assert.deepEqual(await limits.look(keys, [sliding], 5), {
      allowed: true,
      shutMs: 0,
      standings: [{ remaining: 5, resetMs: 0, retryAfterMs: 0 }],
    });
    await limits.take(keys, [sliding], 4);
    assert.deepEqual(said(await limits.look(keys, [sliding], 1)), [true, 1]);
    assert.deepEqual(said(await limits.look(keys, [sliding], 2)), [false, 1]);
    assert.ok(((await limits.look(keys, [sliding], 2)).standings[0]?.retryAfterMs ?? 0) > 0);
    assert.deepEqual(said(await limits.take(keys, [sliding], 1)), [true, 0]);
  });

  it('takes nothing of an empty plan', async ({ backend: { limits }, key }) => {
    const keys = [key()];
    assert.deepEqual(said(await limits.take(keys, [sliding], 0)), [true, 5]);
    await limits.take(keys, [sliding], 5);
    assert.deepEqual(said(await limits.take(keys, [sliding], 0)), [true, 0]);
  });

  it('never admits more at once than there can ever be, and says so', async ({ backend: { limits }, key }) => {
    for (const plan of plansOf(5)) {
      const keys = [key()];
      const refused = await limits.take(keys, [plan], 6);
      assert.deepEqual(said(refused), [false, 5]);
      assert.equal(refused.standings[0]?.retryAfterMs, Infinity);
      assert.deepEqual(said(await limits.take(keys, [plan], 5)), [true, 0]);
    }
  });

  it('counts with limits up to 2^53 - 1', async ({ backend: { limits }, key }) => {
    const most = Number.MAX_SAFE_INTEGER;
    for (const algorithm of ['sliding-window', 'fixed-window'] as const) {
      const [name, plan] = [key(), { algorithm, limit: most, windowMs: longMs }];
      assert.deepEqual(said(await limits.take([name], [plan], most - 3)), [true, 3]);
      assert.deepEqual(said(await limits.take([name], [plan], 4)), [false, 3]);
      assert.deepEqual(said(await limits.take([name], [plan], 2)), [true, 1]);
    }
  });

  it('lets each call have a limit of its own', async ({ backend: { limits }, key }) => {
    for (const plan of plansOf(5)) {
      const name = key();
      const larger: Plan = plan.algorithm === 'token-bucket' ? { ...plan, limit: 8, burst: 8 } : { ...plan, limit: 8 };
      assert.deepEqual(said(await limits.take([name], [plan], 5)), [true, 0]);
      assert.deepEqual(said(await limits.take([name], [plan], 1)), [false, 0]);
      assert.deepEqual(said(await limits.take([name], [larger], 2)), [true, 1]);
      assert.deepEqual(said(await limits.take([name], [plan], 1)), [false, 0]);
    }
  });

  it('starts anew under another algorithm or window', async ({ backend: { limits }, key }) => {
    const name = key();
    for (const plan of [...plansOf(5), { ...sliding, windowMs: longMs / 2 }]) {
      assert.deepEqual(said(await limits.take([name], [plan], 4)), [true, 1], plan.algorithm);
    }
  });
}

function defineTogetherCases(it: Define<'limits'>, exact: boolean): void {
  it('charges all plans or none', async ({ backend: { limits }, key }) => {
    const name = key();
    const keys = ['many', 'few', 'enough'].map((plan) => `{${name}}:${plan}`);
    const plans = [...plansOf(10).slice(0, 1), ...plansOf(2).slice(1, 2), ...plansOf(9).slice(2)];
    assert.deepEqual(said(await limits.take(keys, plans, 1)), [true, 9, 1, 8]);
    assert.deepEqual(said(await limits.take(keys, plans, 1)), [true, 8, 0, 7]);
    const refused = await limits.take(keys, plans, 1);
    assert.deepEqual(said(refused), [false, 8, 0, 7]);
    assert.deepEqual(
      refused.standings.map(({ retryAfterMs }) => retryAfterMs > 0),
      [false, true, false],
    );
    assert.deepEqual(said(await limits.take(keys.slice(0, 1), plans.slice(0, 1), 8)), [true, 0]);
  });

  it('keeps keys apart', async ({ backend: { limits }, key }) => {
    const [one, other] = [key(), key()];
    await limits.take([one], [sliding], 5);
    assert.deepEqual(said(await limits.take([other], [sliding], 5)), [true, 0]);
  });

  if (!exact) return;
  it('decides takes of one moment one after the other', async ({ backend: { limits }, key }) => {
    const [one, other] = [key(), key()];
    const answers = await Promise.all([
      limits.take([one], [sliding], 4),
      limits.take([other], [sliding], 1),
      limits.take([one], [sliding], 1),
      limits.take([one], [sliding], 1),
      limits.give([one], [sliding], 2),
      limits.look([one], [sliding], 1),
    ]);
    const takes = answers.flatMap((answer) => (answer === undefined ? [] : [said(answer)]));
    assert.deepEqual(takes, [
      [true, 1],
      [true, 4],
      [true, 0],
      [false, 0],
      [true, 2],
    ]);
  });
}

function defineGivingCases(it: Define<'limits'>): void {
  for (const plan of plansOf(5)) {
    it(`gives back what was taken, and never more: ${plan.algorithm}`, async ({ backend: { limits }, peer, key }) => {
      const name = key();
      await limits.take([name], [plan], 4);
      await peer.limits.give([name], [plan], 1);
      assert.equal(await left(limits, name, plan), 2);
      await limits.give([name], [plan], 100);
      assert.equal(await left(limits, name, plan), 5);
      assert.deepEqual(said(await limits.take([name], [plan], 5)), [true, 0]);
    });

    it(`charges what is left where that is less: ${plan.algorithm}`, async ({ backend: { limits }, key }) => {
      const name = key();
      assert.deepEqual(said(await limits.charge([name], [plan], 3)), [true, 2]);
      assert.deepEqual(said(await limits.charge([name], [plan], 100)), [true, 0]);
      assert.deepEqual(said(await limits.take([name], [plan], 1)), [false, 0]);
      await limits.give([name], [plan], 1);
      assert.equal(await left(limits, name, plan), 1);
    });

    it(`gives everything back at a reset: ${plan.algorithm}`, async ({ backend: { limits }, peer, key }) => {
      const name = key();
      await limits.take([name], [plan], 5);
      await peer.limits.reset([name], [plan]);
      assert.deepEqual(said(await limits.look([name], [plan], 5)), [true, 5]);
      assert.equal((await limits.look([name], [plan], 5)).standings[0]?.resetMs, 0);
    });
  }

  it('gives nothing to a key that is not there', async ({ backend: { limits }, key }) => {
    const name = key();
    await limits.give([name], [sliding], 3);
    await limits.reset([name], [sliding]);
    assert.deepEqual(said(await limits.take([name], [sliding], 5)), [true, 0]);
    assert.deepEqual(said(await limits.take([name], [sliding], 1)), [false, 0]);
  });
}

function defineGateCases(it: Define<'limits'>): void {
  it('lets nothing pass while a gate is shut, and charges nothing', async ({ backend: { limits }, peer, key }) => {
    const name = key();
    const [keys, gate] = [[`{${name}}:a`], `{${name}}:gate`];
    assert.equal((await limits.take(keys, [sliding], 1, gate)).shutMs, 0);
    await peer.limits.shut(gate, 60_000);
    for (const verb of ['take', 'look'] as const) {
      const refused = await limits[verb](keys, [sliding], 1, gate);
      assert.deepEqual(said(refused), [false, 4]);
      assert.ok(refused.shutMs > 50_000 && refused.shutMs <= 60_000, `shut for ${refused.shutMs} ms`);
    }
    assert.deepEqual(said(await limits.take(keys, [sliding], 1)), [true, 3]);
    await peer.limits.shut(gate, 0);
    assert.deepEqual(said(await limits.take(keys, [sliding], 1, gate)), [true, 2]);
  });

  it('opens a gate after its time and not before, and gives it a new one', async (trial) => {
    const { limits } = trial.backend;
    const name = trial.key();
    const [keys, gate] = [[`{${name}}:a`], `{${name}}:gate`];
    await limits.shut(gate, 60_000);
    const before = trial.elapsed();
    await limits.shut(gate, trial.shortMs);
    await expectExpiry(
      trial,
      before,
      trial.shortMs,
      async () => !(await limits.look(keys, [sliding], 1, gate)).allowed,
    );
  });

  it('refuses gates and times that mean nothing', async ({ backend: { limits }, key }) => {
    const name = key();
    for (const ms of [-1, 0.5, Number.NaN, Infinity, longMs + 1])
      await expectError(limits.shut(name, ms), 'OPTION_INVALID');
    await expectError(limits.shut('a b', 1), 'KEY_INVALID');
    for (const gate of ['a b', `{${name}}:a`, '{other}:gate'])
      await expectError(limits.take([`{${name}}:a`], [sliding], 1, gate), 'KEY_INVALID');
  });
}

function defineRaceCases(it: Define<'limits'>, exact: boolean): void {
  for (const plan of plansOf(100)) {
    it(`admits exactly the limit of 200 concurrent takes: ${plan.algorithm}`, async ({ backend, peer, key }) => {
      const name = key();
      const taken = await Promise.all(
        Array.from({ length: 200 }, (_, index) => (index % 2 ? backend : peer).limits.take([name], [plan], 1)),
      );
      assert.equal(taken.filter(({ allowed }) => allowed).length, 100);
    });
  }

  it('admits no more than the limit when costs and plans are mixed', async ({ backend, peer, key }) => {
    const name = key();
    const keys = [`{${name}}:a`, `{${name}}:b`];
    const plans = [plansOf(300)[0] ?? sliding, plansOf(100)[1] ?? sliding];
    const costs = Array.from({ length: 200 }, (_, index) => 1 + (index % 4));
    const taken = await Promise.all(
      costs.map((cost, index) => (index % 2 ? backend : peer).limits.take(keys, plans, cost)),
    );
    const sum = taken.reduce((total, { allowed }, index) => total + (allowed ? (costs[index] ?? 0) : 0), 0);
    assert.ok(sum <= 100, `${sum} of 100`);
    if (exact) assert.equal(sum, 100);
    // What was refused was charged to neither plan.
    assert.deepEqual(said(await backend.limits.look(keys, plans, 0)), [true, 300 - sum, 100 - sum]);
  });
}

function defineRefusalCases(it: Define<'limits'>): void {
  it('refuses costs and plans that mean nothing, and charges nothing', async ({ backend: { limits }, key }) => {
    const keys = [key()];
    for (const cost of [-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1' as never]) {
      for (const verb of ['take', 'look', 'charge', 'give'] as const)
        await expectError(limits[verb](keys, [sliding], cost), 'OPTION_INVALID');
    }
    for (const bad of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '5' as never]) {
      await expectError(limits.take(keys, [{ ...sliding, limit: bad }], 1), 'OPTION_INVALID');
      await expectError(limits.take(keys, [{ ...sliding, windowMs: bad }], 1), 'OPTION_INVALID');
      const bucket = { algorithm: 'token-bucket', limit: 5, windowMs: 1000, burst: bad } as const;
      await expectError(limits.take(keys, [bucket], 1), 'OPTION_INVALID');
    }
    for (const windowMs of [9, longMs + 1])
      await expectError(limits.take(keys, [{ ...sliding, windowMs }], 1), 'OPTION_INVALID');
    await expectError(limits.take(keys, [{ ...sliding, algorithm: 'leaky' as never }], 1), 'OPTION_INVALID');
    const slow = { algorithm: 'token-bucket', limit: 1, windowMs: longMs, burst: 2 } as const;
    await expectError(limits.take(keys, [slow], 1), 'OPTION_INVALID');
    assert.deepEqual(said(await limits.look(keys, [sliding], 5)), [true, 5]);
  });

  it('refuses keys that no server takes, and keys that one server may not have', async (trial) => {
    const { limits } = trial.backend;
    for (const bad of ['', 'a b', 'a\r\nb', 'caf\u00e9', 'k'.repeat(241)]) {
      await expectError(limits.take([bad], [sliding], 1), 'KEY_INVALID');
      await expectError(limits.reset([bad], [sliding]), 'KEY_INVALID');
    }
    const name = trial.key();
    for (const keys of [
      [`${name}:a`, `${name}:b`],
      [`{${name}a}`, `{${name}b}`],
      [`{${name}}`, `{${name}}`],
    ])
      await expectError(limits.take(keys, [sliding, sliding], 1), 'KEY_INVALID');
    await expectError(limits.take([name], [], 1), 'OPTION_INVALID');
    await expectError(limits.take([], [], 1), 'OPTION_INVALID');
    await expectError(limits.take([name], [sliding, sliding], 1), 'OPTION_INVALID');
    const longest = trial.key().padEnd(240, 'k');
    assert.deepEqual(said(await limits.take([longest], [sliding], 5)), [true, 0]);
  });

  it('refuses everything with CLOSED after close', async ({ backend, key }) => {
    const keys = [key()];
    await backend.limits.take(keys, [sliding], 5);
    await backend.close();
    for (const verb of ['take', 'look', 'charge', 'give'] as const)
      await expectError(backend.limits[verb](keys, [sliding], 1), 'CLOSED');
    await expectError(backend.limits.reset(keys, [sliding]), 'CLOSED');
  });
}
