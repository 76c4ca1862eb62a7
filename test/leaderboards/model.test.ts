/** Shows that every answer is that of a plain array, whatever was submitted and removed, on every backend. */

import * as fc from 'fast-check';
import { type BoardPage, type BoardRow, type Leaderboard, leaderboard } from 'hotshelf/leaderboards';
import { describe, expect, it } from 'vitest';
import { everywhere, usePlace } from './counting/servers.ts';
import { PlainBoard, type PlainRules } from './plain-board.ts';

const members = ['anna', 'bob', 'carl', 'dora', 'é', '\u{1f600}', '\uffff', 'a b', 'x|1|y', 'n\nn', '{a}', '7'];
const rules: fc.Arbitrary<PlainRules> = fc.record({
  order: fc.constantFrom('desc', 'asc'),
  ties: fc.constantFrom('competition', 'dense', 'earliest'),
  mode: fc.constantFrom('best', 'last', 'sum'),
});
const change = fc.record({
  member: fc.constantFrom(...members),
  // Few, so that many are equal.
  score: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -2, max: 3 }) },
    { weight: 1, arbitrary: fc.constant(0.5) },
  ),
  removed: fc.nat(9).map((one) => one === 0),
});
const play = fc.tuple(rules, fc.array(change, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }));

let boards = 0;

/** The pages that follow each other by their cursors, begun with `first`. */
async function walk(board: Leaderboard, first: BoardPage, count: number): Promise<BoardRow[]> {
  const rows = [...first.rows];
  for (let { next } = first; next !== undefined;) {
    const page = await board.range({ after: next, count });
    expect(page.rows.length).toBeLessThanOrEqual(count);
    rows.push(...page.rows);
    next = page.next;
  }
  return rows;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe.each(everywhere)('a leaderboard on %s', (place) => {
  const backends = usePlace(place, ['rankings']);

  it('answers as a plain array does', { timeout: 90_000 }, async () => {
    const property = fc.asyncProperty(play, async ([how, changes, count]) => {
      const [backend] = backends();
      const name = `model-${(boards += 1)}`;
      const board = leaderboard(name, { backend, ...how, live: false });
      const plain = new PlainBoard(how);
      for (const { member, score, removed } of changes) {
        if (removed) plain.remove(member);
        else plain.submit(member, score);
      }
      await apply(board, changes);
      const rows = plain.rows();
      const size = rows.length;

      expect(await all(board.export())).toEqual(rows);
      expect(await board.top(100)).toMatchObject({ rows, size, from: 0, next: undefined, stale: false });
      expect(await walk(board, await board.page({ count }), count)).toEqual(rows);
      expect((await board.page({ page: 2, count })).rows).toEqual(rows.slice(count, 2 * count));
      expect((await board.range({ ranks: [2, 1 + count] })).rows).toEqual(rows.slice(1, 1 + count));
      const between = await board.range({ scores: [-1, 2], count });
      expect(await walk(board, between, count)).toEqual(plain.between(-1, 2));
      for (const member of members) {
        const position = rows.findIndex((row) => row.member === member);
        const ahead = plain.ahead(member);
        const row = rows[position];
        expect(await board.get(member)).toEqual(
          row === undefined ? null : { ...row, ahead, size, percentile: (100 * (size - ahead)) / size },
        );
        const full = Math.min(2 * count + 1, size);
        const from = Math.max(0, Math.min(position - count, size - full));
        const around = await board.around(member, count);
        expect(around?.rows).toEqual(row && rows.slice(from, from + full));
      }
      const friends = members.filter((_, at) => at % count === 0);
      expect(await board.among([...friends, ...friends])).toEqual(plain.among(friends));
    });
    await fc.assert(property, { numRuns: place === 'memory' ? 100 : 12 });
  });
});

/** Submits as many at a time as follow each other. */
async function apply(
  board: Leaderboard,
  changes: readonly { readonly member: string; readonly score: number; readonly removed: boolean }[],
): Promise<void> {
  let waiting: { member: string; score: number }[] = [];
  for (const { member, score, removed } of changes) {
    if (!removed) {
      waiting.push({ member, score });
      continue;
    }
    await board.submitMany(waiting);
    waiting = [];
    await board.remove(member);
  }
  await board.submitMany(waiting);
}
