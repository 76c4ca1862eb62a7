/** The cases of the rankings facet that are about what it refuses, with nothing written. */

import assert from 'node:assert/strict';
import type { RankingRules, RankingBoard, Rankings } from '../backend/rankings.ts';
import { boardsOf, type DefineRankings, held, newKey, rulesOf, submit } from './rankings-kit.ts';
import { expectError } from './suite.ts';

const badMembers = ['', 'x'.repeat(257), '\u00e9'.repeat(129), '\ud83d', 'a\udc00b', 7 as never, undefined as never];
const badNumbers = [Number.NaN, '1' as never, null as never];

/** Rules that mean nothing, for JavaScript users. */
const badRules: readonly RankingRules[] = [
  rulesOf({ order: 'up' as never }),
  rulesOf({ ties: 'none' as never }),
  rulesOf({ mode: 'first' as never }),
  ...[0, -1, 1.5, Number.NaN, '3' as never].map((cap) => rulesOf({ cap })),
  rulesOf({ mode: 'decay' }),
  ...[0, 0.5, -1, Number.NaN, Infinity].map((halfLifeMs) => rulesOf({ mode: 'decay', halfLifeMs })),
  rulesOf({ mode: 'decay', halfLifeMs: 1000, order: 'asc' }),
  rulesOf({ mode: 'decay', halfLifeMs: 1000, ties: 'dense' }),
];

/** Every verb but `submit`, each ready to be called. */
function readings(rankings: Rankings, key: string, rules: RankingRules): readonly (() => Promise<unknown>)[] {
  return [
    () => rankings.page(key, rules, { from: 0, count: 1 }),
    () => rankings.find(key, rules, ['ann']),
    () => rankings.remove([key], rules, ['ann']),
    () => rankings.removeScores([key], rules, 0, 1),
    () => rankings.move(key, { key: `${key}:other`, expiresAt: Infinity }, rules),
    () => first(rankings, key, rules),
  ];
}

async function first(rankings: Rankings, key: string, rules: RankingRules): Promise<unknown> {
  for await (const some of rankings.scan(key, rules)) return some;
  return undefined;
}

export function defineRankingRefusals(it: DefineRankings): void {
  it('refuses scores, members and times that mean nothing, and writes nothing', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf({ mode: 'sum' });
    const good = { member: 'bob', score: 1 };
    await submit(rankings, key, rules, [['ann', 1]]);
    for (const score of [...badNumbers, Infinity, -Infinity])
      await expectError(rankings.submit(boardsOf(key), rules, [good, { member: 'ann', score }]), 'OPTION_INVALID');
    for (const member of badMembers)
      await expectError(rankings.submit(boardsOf(key), rules, [good, { member, score: 1 }]), 'OPTION_INVALID');
    for (const expiresAt of [...badNumbers, -1, 2 ** 53])
      await expectError(rankings.submit([{ key, expiresAt }], rules, [good]), 'OPTION_INVALID');
    for (const count of [0, 129])
      await expectError(
        rankings.submit(
          boardsOf(key),
          rules,
          Array.from({ length: count }, () => good),
        ),
        'OPTION_INVALID',
      );
    const decay = rulesOf({ mode: 'decay', halfLifeMs: 1000 });
    for (const score of [0, -1])
      await expectError(submit(rankings, newKey(trial), decay, [['ann', score]]), 'OPTION_INVALID');
    assert.equal(await held(rankings, key, rules), '1 ann 1');
  });

  it('refuses rules that mean nothing', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    for (const rules of badRules) {
      await expectError(submit(rankings, key, rules, [['ann', 1]]), 'OPTION_INVALID');
      for (const read of readings(rankings, key, rules)) await expectError(read(), 'OPTION_INVALID');
    }
    assert.equal(await held(rankings, key, rulesOf()), '');
  });

  it('refuses keys that no server takes, and keys that are not kept together', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const rules = rulesOf();
    for (const bad of [
      '',
      'a b',
      `{${name}}\r\n`,
      '{caf\u00e9}',
      `{${name}}`.padEnd(241, 'k'),
      name,
      `{}${name}`,
      `}${name}{`,
    ]) {
      await expectError(submit(rankings, bad, rules, [['ann', 1]]), 'KEY_INVALID');
      for (const read of readings(rankings, bad, rules)) await expectError(read(), 'KEY_INVALID');
    }
    for (const keys of [
      [`{${name}}:a`, `{${name}}:a`],
      [`{${name}a}:x`, `{${name}b}:x`],
      [`a{${name}}`, `b{${name}}`],
    ]) {
      const boards: readonly RankingBoard[] = boardsOf(...keys);
      await expectError(rankings.submit(boards, rules, [{ member: 'ann', score: 1 }]), 'KEY_INVALID');
      await expectError(rankings.remove(keys, rules, ['ann']), 'KEY_INVALID');
      await expectError(rankings.removeScores(keys, rules, 0, 1), 'KEY_INVALID');
      await expectError(rankings.move(keys[0] ?? '', { key: keys[1] ?? '', expiresAt: 0 }, rules), 'KEY_INVALID');
    }
    const many = Array.from({ length: 17 }, (_, index) => `{${name}}:${index}`);
    await expectError(rankings.submit(boardsOf(...many), rules, [{ member: 'ann', score: 1 }]), 'OPTION_INVALID');
    await expectError(rankings.submit([], rules, [{ member: 'ann', score: 1 }]), 'OPTION_INVALID');
    assert.equal(await held(rankings, many[0] ?? '', rules), '');
    const longest = `{${name}}`.padEnd(240, 'k');
    await submit(rankings, longest, rules, [['ann', 1]]);
    assert.equal(await held(rankings, longest, rules), '1 ann 1');
  });

  it('refuses questions that mean nothing', async (trial) => {
    const { rankings } = trial.backend;
    const key = newKey(trial);
    const rules = rulesOf();
    const page = (query: object) => rankings.page(key, rules, query as never);
    for (const count of [...badNumbers, 0, -1, 1.5, 1001]) {
      for (const query of [{ from: 0 }, { around: 'ann' }, { least: 0, most: 1, skip: 0 }, { after: '1|0|ann' }])
        await expectError(page({ ...query, count }), 'OPTION_INVALID');
    }
    for (const from of [...badNumbers, -1, 0.5, Infinity]) {
      await expectError(page({ from, count: 1 }), 'OPTION_INVALID');
      await expectError(page({ least: 0, most: 1, skip: from, count: 1 }), 'OPTION_INVALID');
    }
    for (const member of badMembers) {
      await expectError(page({ around: member, count: 1 }), 'OPTION_INVALID');
      await expectError(rankings.find(key, rules, ['ann', member]), 'OPTION_INVALID');
      await expectError(rankings.remove([key], rules, ['ann', member]), 'OPTION_INVALID');
    }
    for (const [least, most] of [
      [1, 0],
      [Number.NaN, 1],
      [0, '1' as never],
    ] as const) {
      await expectError(page({ least, most, skip: 0, count: 1 }), 'OPTION_INVALID');
      await expectError(rankings.removeScores([key], rules, least, most), 'OPTION_INVALID');
    }
    for (const after of [
      '',
      'ann',
      '1|ann',
      '|0|ann',
      'x|0|ann',
      '1|0|',
      '1|-1|ann',
      '1e999|0|ann',
      `1|0|${'x'.repeat(257)}`,
    ])
      await expectError(page({ after, count: 1 }), 'OPTION_INVALID');
    for (const count of [0, 1001]) {
      const members = Array.from({ length: count }, (_, index) => `m${index}`);
      await expectError(rankings.find(key, rules, members), 'OPTION_INVALID');
      await expectError(rankings.remove([key], rules, members), 'OPTION_INVALID');
    }
  });

  it('says whether boards are in danger, and never rejects', async ({ backend }) => {
    const danger = await backend.rankings.endangered?.();
    assert.ok(danger === undefined || danger.length > 0);
  });

  it('refuses everything with CLOSED after close', async (trial) => {
    const { backend } = trial;
    const key = newKey(trial);
    await submit(backend.rankings, key, rulesOf(), [['ann', 1]]);
    await backend.close();
    await expectError(submit(backend.rankings, key, rulesOf(), [['ann', 1]]), 'CLOSED');
    for (const read of readings(backend.rankings, key, rulesOf())) await expectError(read(), 'CLOSED');
  });
}
