/** Rankings with one fault each, for tests that must find it. */

import type { RankingPage, RankingQuery, RankingRow, RankingRules, Rankings } from 'hotshelf';

interface Fault {
  /** What shows it. */
  readonly rules?: Partial<RankingRules>;
  readonly change: (rankings: Rankings) => Partial<Rankings>;
}

/** With another function for the rows of every page. */
function withRows(change: (rows: readonly RankingRow[]) => readonly RankingRow[]): Fault['change'] {
  return (to) => ({
    page: async (...asked) => {
      const found = await to.page(...asked);
      return { ...found, rows: change(found.rows) };
    },
  });
}

/** With other queries, and other answers to them. */
function withPage(
  query: (asked: RankingQuery) => RankingQuery,
  answer: (found: RankingPage, asked: RankingQuery) => RankingPage = (found) => found,
): Fault['change'] {
  return (to) => ({ page: async (key, rules, asked) => answer(await to.page(key, rules, query(asked)), asked) });
}

/** With other rules for every submission. */
function withRules(change: (rules: RankingRules) => RankingRules): Fault['change'] {
  return (to) => ({ submit: (boards, rules, submissions) => to.submit(boards, change(rules), submissions) });
}

export const faults: Readonly<Record<string, Fault>> = {
  'swaps two ranks': {
    change: withRows((rows) => {
      const [first, second, ...rest] = rows;
      if (first === undefined || second === undefined || first.rank === second.rank) return rows;
      return [{ ...first, rank: second.rank }, { ...second, rank: first.rank }, ...rest];
    }),
  },
  'drops one of two with the same score': {
    change: withRows((rows) => rows.filter((row, place) => rows[place - 1]?.score !== row.score)),
  },
  'compares members as UTF-16': {
    change: withRows((rows) =>
      rows.toSorted((a, b) => a.rank - b.rank || (a.member === b.member ? 0 : a.member < b.member ? 1 : -1)),
    ),
  },
  'counts members where it should count scores': {
    rules: { ties: 'dense' },
    change: withRows((rows) => {
      let rank = 1;
      return rows.map((row, place) => ({
        ...row,
        rank: row.score === rows[place - 1]?.score ? rank : (rank = place + 1),
      }));
    }),
  },
  'has another rank in an answer than on a page': {
    change: (to) => ({
      submit: async (...asked) => {
        const answers = await to.submit(...asked);
        return answers.map((answer) => answer.map((one) => ({ ...one, rank: one.rank === 3 ? 4 : one.rank })));
      },
    }),
  },
  'forgets what was before on all boards but the first': {
    change: (to) => ({
      submit: async (...asked) => {
        const answers = await to.submit(...asked);
        return answers.map((answer) => answer.map((one, board) => (board === 0 ? one : { ...one, previous: null })));
      },
    }),
  },
  'writes the first of two submissions of a member only': {
    rules: { mode: 'sum' },
    change: (to) => ({
      submit: (boards, rules, submissions) => {
        const first = submissions.filter(
          ({ member }, at) => submissions.findIndex((one) => one.member === member) === at,
        );
        return to.submit(boards, rules, first);
      },
    }),
  },
  'does not cut': { change: withRules((rules) => ({ ...rules, cap: Infinity })) },
  'cuts one too many': { change: withRules((rules) => ({ ...rules, cap: rules.cap === 3 ? 2 : rules.cap })) },
  'keeps the better one where it should keep the last': {
    rules: { mode: 'last' },
    change: withRules((rules) => ({ ...rules, mode: 'best' })),
  },
  'forgets when a score was reached, if it is submitted again': {
    rules: { ties: 'earliest' },
    change: (to) => ({
      submit: async (boards, rules, submissions) => {
        // Never below what it was: only the time is lost.
        const answers = await to.submit(boards, rules, submissions);
        if (submissions.length !== 1 || answers[0]?.[0]?.rank === null) return answers;
        const { member, score } = { member: submissions[0]?.member ?? '', score: answers[0]?.[0]?.score ?? 0 };
        const [board] = boards;
        if (board === undefined) return answers;
        await to.remove([board.key], rules, [member]);
        await to.submit([board], rules, [{ member, score }]);
        return answers;
      },
    }),
  },
  'does not shift a page around the first': {
    change: withPage(
      (asked) => asked,
      (found, asked) =>
        'around' in asked && found.from === 0 && found.rows.length > 2
          ? { ...found, rows: found.rows.slice(0, -1) }
          : found,
    ),
  },
  'begins a page with the end of the one before': {
    change: (to) => ({
      page: async (key, rules, asked) => {
        const found = await to.page(key, rules, asked);
        if (!('after' in asked) || found.from === 0) return found;
        return to.page(key, rules, { from: found.from - 1, count: asked.count });
      },
    }),
  },
  'leaves the upper one of two scores out': {
    change: withPage((asked) => {
      if (!('most' in asked) || !Number.isFinite(asked.most)) return asked;
      return { ...asked, most: Math.max(asked.least, asked.most - 1e-9) };
    }),
  },
  'counts those it did not find, too': {
    change: (to) => ({
      remove: async (keys, rules, members) => {
        await to.remove(keys, rules, members);
        return keys.map(() => new Set(members).size);
      },
    }),
  },
  'moves a board onto another': {
    change: (to) => ({
      move: async (key, board, rules) => {
        await to.removeScores([board.key], rules, -Infinity, Infinity);
        return to.move(key, board, rules);
      },
    }),
  },
  'passes over one in a scan': {
    change: (to) => ({
      scan: async function* (...asked) {
        for await (const some of to.scan(...asked)) yield some.slice(1);
      },
    }),
  },
  'loses every tenth call': {
    change: (to) => {
      let calls = 0;
      return {
        submit: async (boards, rules, submissions) => {
          calls += 1;
          const answers = await to.submit(boards, rules, submissions);
          if (calls % 10 === 0)
            await to.removeScores(
              boards.map(({ key }) => key),
              rules,
              -Infinity,
              Infinity,
            );
          return answers;
        },
      };
    },
  },
  'adds a weight twice': {
    rules: { mode: 'decay', halfLifeMs: 3e13 },
    change: (to) => ({
      submit: (boards, rules, submissions) =>
        to.submit(
          boards,
          rules,
          submissions.map((one, at) => (at === 2 ? { ...one, score: 2 * one.score } : one)),
        ),
    }),
  },
  'gives a newcomer nothing of the one that it displaces': {
    rules: { mode: 'decay', halfLifeMs: 3e13 },
    change: (to) => ({
      submit: async (boards, rules, submissions) => {
        if (boards.length === 1 && submissions.length === 1 && rules.cap !== Infinity) {
          const [key, member] = [boards[0]?.key ?? '', submissions[0]?.member ?? ''];
          const { standings, size } = await to.find(key, rules, [member]);
          const { rows } = await to.page(key, rules, { from: Math.max(0, rules.cap - 1), count: 1 });
          if (standings[0] === null && size >= rules.cap)
            await to.remove(
              [key],
              rules,
              rows.map((row) => row.member),
            );
        }
        return to.submit(boards, rules, submissions);
      },
    }),
  },
};

/** The same rankings with a fault. */
export function broken(rankings: Rankings, { change }: Fault): Rankings {
  const bound: Rankings = {
    maxMembers: rankings.maxMembers,
    submit: (...asked) => rankings.submit(...asked),
    page: (...asked) => rankings.page(...asked),
    find: (...asked) => rankings.find(...asked),
    remove: (...asked) => rankings.remove(...asked),
    removeScores: (...asked) => rankings.removeScores(...asked),
    move: (...asked) => rankings.move(...asked),
    scan: (...asked) => rankings.scan(...asked),
  };
  return { ...bound, ...change(bound) };
}
