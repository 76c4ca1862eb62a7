/** Ways to break the rankings facet, and the cases that must notice each. */

import type { RankingEntry, RankingPage, RankingQuery, RankingRules, Rankings, Submitted } from 'hotshelf';
import type { Breakage } from './broken-values.ts';

/** Answers what `change` makes of each submission. */
function answered(
  rankings: Rankings,
  change: (one: Submitted, all: readonly Submitted[]) => Submitted,
): Partial<Rankings> {
  return {
    submit: async (...asked) => {
      const answers = await rankings.submit(...asked);
      return answers.map((answer) => answer.map((one) => change(one, answer)));
    },
  };
}

/** Answers what `change` makes of each page. */
function paged(rankings: Rankings, change: (page: RankingPage, query: RankingQuery) => RankingPage): Partial<Rankings> {
  return { page: async (key, rules, query) => change(await rankings.page(key, rules, query), query) };
}

/** Submits with other rules. */
function ruled(rankings: Rankings, change: (rules: RankingRules) => RankingRules): Partial<Rankings> {
  return { submit: (boards, rules, submissions) => rankings.submit(boards, change(rules), submissions) };
}

export const brokenRankings: readonly Breakage<Rankings>[] = [
  [
    'members are compared as UTF-16',
    (rankings) =>
      paged(rankings, (page) => {
        const rows = page.rows.toSorted((a, b) => a.rank - b.rank || (a.member < b.member ? 1 : -1));
        return { ...page, rows };
      }),
    'ties in the order of their bytes: desc',
  ],
  [
    'a member ends at a NUL',
    (rankings) => ({
      submit: (boards, rules, submissions) =>
        rankings.submit(
          boards,
          rules,
          submissions.map(({ member, score }) => ({ member: member.split('\0')[0] || '?', score })),
        ),
    }),
    'ties in the order of their bytes: asc',
  ],
  [
    'scores have six digits',
    (rankings) => ({
      submit: (boards, rules, submissions) =>
        rankings.submit(
          boards,
          rules,
          submissions.map(({ member, score }) => ({
            member,
            score: typeof score === 'number' ? Number(score.toPrecision(6)) : score,
          })),
        ),
    }),
    'as exact as doubles are: competition',
    'adds up as doubles do',
  ],
  [
    'there are two zeros',
    (rankings) => answered(rankings, (one) => ({ ...one, score: one.score === 0 ? -0 : one.score })),
    'knows one zero',
  ],
  [
    'ranks have gaps where they should have none',
    (rankings) =>
      paged(rankings, (page) => ({
        ...page,
        rows: page.rows.map((row) => ({
          ...row,
          rank: page.from + 1 + page.rows.findIndex(({ score }) => score === row.score),
        })),
      })),
    'puts members in their places: best, desc, dense',
    'ranks the rows of any page: dense',
  ],
  [
    'ranks begin anew on every page',
    (rankings) =>
      paged(rankings, (page) => ({ ...page, rows: page.rows.map((row) => ({ ...row, rank: row.rank - page.from })) })),
    'ranks the rows of any page: competition',
    'ranks the rows that a score finds: earliest',
  ],
  [
    'the size is that of the page',
    (rankings) => paged(rankings, (page) => ({ ...page, size: page.rows.length })),
    'has fewer rows where the board ends',
  ],
  [
    'a page around the first has nobody before it instead of a full page',
    (rankings) =>
      paged(rankings, (page, query) =>
        'around' in query && page.from === 0 && page.rows.length < page.size
          ? { ...page, rows: page.rows.slice(0, -1) }
          : page,
      ),
    'a full page at both ends',
  ],
  [
    'a mark is looked for by its member alone',
    (rankings) => ({
      page: async (key, rules, query) => {
        if (!('after' in query)) return rankings.page(key, rules, query);
        const member = query.after.split('|').slice(2).join('|');
        const { rows, from } = await rankings.page(key, rules, { around: member, count: 1 });
        return rankings.page(key, rules, { from: rows.length === 0 ? 0 : from + 1, count: query.count });
      },
    }),
    'goes on in the same place',
  ],
  [
    'a lower bound of scores is not included',
    (rankings) => ({
      page: (key, rules, query) =>
        rankings.page(
          key,
          rules,
          'least' in query && query.least < query.most ? { ...query, least: query.least + Number.EPSILON * 8 } : query,
        ),
      removeScores: (keys, rules, least, most) =>
        rankings.removeScores(keys, rules, least < most ? least + Number.EPSILON * 8 : least, most),
    }),
    'finds those with scores between two',
    'takes those with scores between two off',
  ],
  [
    'who submits a score again is behind those who have it',
    (rankings) => ({
      submit: async (boards, rules, submissions) => {
        if (rules.ties === 'earliest')
          await rankings.remove(
            boards.map(({ key }) => key),
            rules,
            submissions.map(({ member }) => member),
          );
        return rankings.submit(boards, rules, submissions);
      },
    }),
    'also when it is submitted again',
  ],
  [
    'the older score stays',
    (rankings) => ruled(rankings, (rules) => ({ ...rules, mode: rules.mode === 'last' ? 'best' : rules.mode })),
    'puts members in their places: last, desc, competition',
    'has who left a score and came back',
  ],
  [
    'the cap is too high by one',
    (rankings) => ruled(rankings, (rules) => ({ ...rules, cap: rules.cap + 1 })),
    'drops those behind the cap',
    'no more than the cap',
  ],
  [
    'the cap cuts when all is submitted',
    (rankings) => ({
      submit: async (boards, rules, submissions) => {
        const last = submissions.at(-1);
        const uncut = { ...rules, cap: Infinity };
        const before = await rankings.submit(boards, submissions.length > 1 ? uncut : rules, submissions);
        if (submissions.length > 1 && last !== undefined && rules.mode === 'sum')
          await rankings.submit(boards, rules, [{ ...last, score: 0 }]);
        return before;
      },
    }),
    'drops after each submission of a call',
  ],
  [
    'what was before is that of the first board',
    (rankings) => answered(rankings, (one, [first]) => ({ ...one, previous: first?.previous ?? null })),
    'to each on top of what it had',
  ],
  [
    'a sum is read and written in two steps',
    (rankings) => ({
      submit: async (boards, rules, submissions) => {
        if (rules.mode !== 'sum') return rankings.submit(boards, rules, submissions);
        const [first = { member: '', score: 0 }] = submissions;
        const { standings } = await rankings.find(boards[0]?.key ?? '', rules, [first.member]);
        const score = (standings[0]?.score ?? 0) + first.score;
        return rankings.submit(boards, { ...rules, mode: 'last' }, [{ ...first, score }, ...submissions.slice(1)]);
      },
    }),
    'adds up each of 200 concurrent submissions once',
  ],
  [
    'good scores are written before a bad one is refused',
    (rankings) => ({
      submit: async (boards, rules, submissions) => {
        if (submissions.length > 128) return rankings.submit(boards, rules, submissions);
        const answers = [];
        for (const one of submissions) answers.push(...(await rankings.submit(boards, rules, [one])));
        return answers.length === 0 ? rankings.submit(boards, rules, submissions) : answers;
      },
    }),
    'and writes nothing',
  ],
  [
    'all boards go with the first',
    (rankings) => ({
      submit: (boards, rules, submissions) =>
        rankings.submit(
          boards.map((board) => ({ ...board, expiresAt: boards[0]?.expiresAt ?? Infinity })),
          rules,
          submissions,
        ),
    }),
    'has each board go at its own time',
  ],
  [
    'a board goes at the time that its first submission gave it',
    (rankings) => {
      const first = new Map<string, number>();
      return {
        submit: (boards, rules, submissions) => {
          const old = boards.map(({ key, expiresAt }) => {
            if (!first.has(key)) first.set(key, expiresAt);
            return { key, expiresAt: first.get(key) ?? Infinity };
          });
          return rankings.submit(old, rules, submissions);
        },
      };
    },
    'which every submission sets anew',
  ],
  [
    'a board that is moved stays for ever',
    (rankings) => ({ move: (key, { key: to }, rules) => rankings.move(key, { key: to, expiresAt: Infinity }, rules) }),
    'at the time that its move gave it',
  ],
  [
    'a board is moved onto another',
    (rankings) => ({
      move: async (key, to, rules) => {
        const { size } = await rankings.find(key, rules, ['ann']);
        if (size > 0) await rankings.removeScores([to.key], rules, -Infinity, Infinity);
        return rankings.move(key, to, rules);
      },
    }),
    'or if the other key is taken',
  ],
  [
    'a scan goes by positions',
    (rankings) => ({
      scan: async function* (key, rules) {
        for (let from = 0; ; from += 100) {
          const { rows } = await rankings.page(key, rules, { from, count: 100 });
          if (rows.length === 0) return;
          yield rows.map(({ member, score }): RankingEntry => ({ member, score, reached: 0 }));
        }
      },
    }),
    'passes over nobody',
  ],
  [
    'weights do not fade',
    (rankings) => ruled(rankings, (rules) => (rules.halfLifeMs === 100 ? { ...rules, halfLifeMs: 1e12 } : rules)),
    'halves a weight in every half-life',
  ],
  [
    'a newcomer begins with nothing of the one that it displaces',
    (rankings) => ruled(rankings, (rules) => (rules.mode === 'decay' ? { ...rules, cap: Infinity } : rules)),
    'the place and the weight of the last one',
    'the last one that a lower cap leaves',
  ],
];
