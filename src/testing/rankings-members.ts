/** The cases of the rankings facet that are about members: which texts they may be, and how they leave. */

import assert from 'node:assert/strict';
import type { RankingEntry, RankingRules, Rankings } from '../backend/rankings.ts';
import {
  type DefineRankings,
  held,
  ladder,
  membersOf,
  newKey,
  rulesOf,
  said,
  submit,
  wholeBoard,
} from './rankings-kit.ts';

/** Texts that a careless store would split, cut, fold or sort in another order; upwards by the bytes of their UTF-8. */
const texts = [
  '\0',
  '\0b',
  '\t\r\n',
  ' ',
  '"\'`\\',
  '%s {0} {a}',
  '1e3',
  'Ann',
  'a',
  'a '.repeat(128),
  'a|1|b',
  'ann',
  'ann\0',
  '{"a":[1]}',
  '|',
  '|0|',
  '\u007f',
  '\u0080',
  'e\u0301',
  '\u00e9',
  '\u00e9'.repeat(128),
  '\u4e2d\u6587',
  // In UTF-16, with its surrogates, the last of these would come before the others.
  '\ue000',
  '\uffff',
  '\u{1f600}',
  '\u{1f600}'.repeat(64),
  '\u{10ffff}',
].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

async function all(rankings: Rankings, key: string, rules: RankingRules): Promise<readonly RankingEntry[]> {
  const entries: RankingEntry[] = [];
  for await (const some of rankings.scan(key, rules)) entries.push(...some);
  return entries;
}

export function defineRankingMembers(it: DefineRankings): void {
  defineTextCases(it);
  defineLeavingCases(it);
  defineScanCases(it);
}

function defineTextCases(it: DefineRankings): void {
  for (const order of ['asc', 'desc'] as const) {
    it(`takes any text for a member, and has ties in the order of their bytes: ${order}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ order });
      const expected = order === 'asc' ? texts : texts.toReversed();
      await submit(
        rankings,
        key,
        rules,
        texts.map((text) => [text, 1]),
      );
      assert.deepEqual(membersOf(await rankings.page(key, rules, wholeBoard)), expected);
      const { standings } = await rankings.find(key, rules, texts);
      for (const standing of standings) assert.deepEqual(standing, { score: 1, rank: 1, ahead: 0 });
      for (const [place, text] of expected.entries()) {
        const { rows, from } = await rankings.page(key, rules, { around: text, count: 1 });
        assert.deepEqual([rows[0]?.member, from], [text, place]);
      }
      assert.deepEqual(await rankings.remove([key], rules, texts), [texts.length]);
      assert.equal(await held(rankings, key, rules), '');
    });
  }

  for (const ties of ['competition', 'earliest'] as const) {
    it(`goes on behind any text: ${ties}`, async (trial) => {
      const { rankings } = trial.backend;
      const key = newKey(trial);
      const rules = rulesOf({ ties, order: 'asc' });
      await submit(
        rankings,
        key,
        rules,
        texts.map((text) => [text, -0.1]),
      );
      let page = await rankings.page(key, rules, { from: 0, count: 1 });
      for (const text of texts) {
        assert.deepEqual(membersOf(page), [text]);
        page = await rankings.page(key, rules, { after: page.end ?? '', count: 1 });
      }
      assert.deepEqual(page.rows, []);
      assert.deepEqual(new Set((await all(rankings, key, rules)).map(({ member }) => member)), new Set(texts));
    });
  }
}

function defineLeavingCases(it: DefineRankings): void {
  it('takes members off, and tells how many were on each board', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const keys = [`{${name}}:a`, `{${name}}:b`, `{${name}}:c`] as const;
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      const rules = rulesOf({ ties });
      await submit(rankings, keys[0], rules, ladder(5));
      await submit(rankings, keys[1], rules, ladder(3));
      assert.deepEqual(await rankings.remove(keys, rules, ['m2', 'nobody', 'm4', 'm2']), [2, 1, 0]);
      assert.equal(await held(trial.peer.rankings, keys[0], rules), '1 m1 5, 2 m3 3, 3 m5 1');
      assert.deepEqual(await rankings.remove(keys, rules, ['m1', 'm3', 'm5']), [3, 2, 0]);
      assert.equal(await held(rankings, keys[0], rules), '');
    }
  });

  it('takes those with scores between two off, and tells how many were on each board', async (trial) => {
    const { rankings } = trial.backend;
    const name = trial.key();
    const keys = [`{${name}}:a`, `{${name}}:b`, `{${name}}:c`] as const;
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      for (const order of ['desc', 'asc'] as const) {
        const rules = rulesOf({ ties, order });
        await submit(rankings, keys[0], rules, [...ladder(9), ['half', 3.5]]);
        await submit(rankings, keys[1], rules, ladder(3));
        assert.deepEqual(await rankings.removeScores(keys, rules, 3, 7), [6, 1, 0]);
        assert.deepEqual(await rankings.removeScores(keys, rules, 3, 7), [0, 0, 0]);
        const rest = order === 'desc' ? '1 m1 9, 2 m2 8, 3 m8 2, 4 m9 1' : '1 m9 1, 2 m8 2, 3 m2 8, 4 m1 9';
        assert.equal(await held(trial.peer.rankings, keys[0], rules), rest);
        assert.deepEqual(await rankings.removeScores(keys, rules, -Infinity, 1), [1, 1, 0]);
        assert.deepEqual(await rankings.removeScores(keys, rules, -Infinity, Infinity), [3, 1, 0]);
        assert.equal((await rankings.page(keys[0], rules, wholeBoard)).size, 0);
      }
    }
  });

  it('ranks those who stay as if the others had never been there', async (trial) => {
    const { rankings } = trial.backend;
    for (const [ties, expected] of [
      ['competition', '1 dee 5, 1 bob 5, 3 cem 2'],
      ['dense', '1 dee 5, 1 bob 5, 2 cem 2'],
      ['earliest', '1 bob 5, 2 dee 5, 3 cem 2'],
    ] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ ties });
      await submit(rankings, key, rules, [
        ['ann', 9],
        ['eve', 9],
        ['bob', 5],
        ['fay', 4],
        ['dee', 5],
        ['cem', 2],
      ]);
      await rankings.remove([key], rules, ['ann', 'fay']);
      await rankings.removeScores([key], rules, 6, 100);
      assert.equal(said(await rankings.page(key, rules, wholeBoard)), expected);
    }
  });
}

function defineScanCases(it: DefineRankings): void {
  it('reads all members with their scores', async (trial) => {
    const { rankings } = trial.backend;
    for (const ties of ['competition', 'dense', 'earliest'] as const) {
      const key = newKey(trial);
      const rules = rulesOf({ ties });
      const scores = ladder(1000);
      await submit(rankings, key, rules, scores);
      const found = await all(rankings, key, rules);
      const byMember = new Map(found.map((entry) => [entry.member, entry]));
      assert.deepEqual(
        scores.map(([member]) => byMember.get(member)?.score),
        scores.map(([, score]) => score),
      );
      assert.equal(byMember.size, 1000);
      const reached = scores.map(([member]) => byMember.get(member)?.reached ?? Number.NaN);
      const grows = reached.every((one, index) => index === 0 || one > (reached[index - 1] ?? Number.NaN));
      assert.ok(ties === 'earliest' ? grows : reached.every((one) => one === 0));
    }
    assert.deepEqual(await all(rankings, newKey(trial), rulesOf()), []);
  });

  it('passes over nobody who is there all the while, whoever comes, moves and leaves meanwhile', async (trial) => {
    const { backend, peer } = trial;
    const key = newKey(trial);
    const rules = rulesOf({ mode: 'last' });
    await submit(backend.rankings, key, rules, ladder(800));
    const found = new Set<string>();
    let portions = 0;
    for await (const some of backend.rankings.scan(key, rules)) {
      for (const { member } of some) found.add(member);
      portions += 1;
      if (portions > 20) continue;
      const moved = Array.from(
        { length: 40 },
        (_, index) => [`m${((index * 97 + portions) % 700) + 1}`, 5000 - index] as const,
      );
      await submit(peer.rankings, key, rules, moved);
      await submit(peer.rankings, key, rules, [[`new${portions}`, 9000]]);
      await peer.rankings.remove(
        [key],
        rules,
        Array.from({ length: 5 }, (_, index) => `m${800 - 5 * portions + index + 1}`),
      );
    }
    for (let index = 1; index <= 700; index += 1) assert.ok(found.has(`m${index}`), `m${index} was passed over`);
  });
}
