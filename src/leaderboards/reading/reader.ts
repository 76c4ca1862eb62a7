/** Reads one board: a window, a season, or several boards as one. */

import { rankRows } from '../../backend/rankings/arithmetic.ts';
import { checkMember, checkMembers, mostRows } from '../../backend/rankings/check.ts';
import { compareEntries, isBetter } from '../../backend/rankings/order.ts';
import type { RankingEntry, RankingPage, RankingQuery } from '../../backend/rankings.ts';
import type { Clock } from '../../support/clock.ts';
import type { Metas } from '../meta.ts';
import { checkWhole, named, naming, wrong } from '../naming.ts';
import type { BoardFriend, BoardPage, BoardReader, BoardRow, BoardStanding, PageQuery, RangeQuery } from '../rows.ts';
import { foreignCursor, readCursor, writeCursor } from './cursor.ts';
import { percentile } from './percentile.ts';
import { checkRange, countOf, readPageQuery, readRange } from './queries.ts';
import type { Source } from './source.ts';
import { TopCache, type TopCacheRules } from './top-cache.ts';

export interface ReaderParts<Meta> {
  /** For errors. */
  readonly name: string;
  /** What cursors belong to: all places of the same scope understand each other's. */
  readonly scope: string;
  readonly place: string;
  readonly source: Source;
  readonly metas: Metas<Meta> | undefined;
  readonly cacheTop: TopCacheRules | undefined;
  readonly clock: Clock;
}

const defaultTop = 10;
const defaultEach = 5;
const mostEach = Math.floor((mostRows - 1) / 2);
/** So many rows of an export get their meta at once. */
const exportedAtOnce = 500;

export class Reader<Meta> implements BoardReader<Meta> {
  readonly #parts: ReaderParts<Meta>;
  readonly #source: Source;
  readonly #tops: TopCache<Meta> | undefined;

  constructor(parts: ReaderParts<Meta>) {
    this.#parts = parts;
    this.#source = parts.source;
    if (parts.cacheTop !== undefined)
      this.#tops = new TopCache(parts.cacheTop, parts.clock, (count) => this.latest(count));
  }

  top(count = defaultTop): Promise<BoardPage<Meta>> {
    return this.#tops?.top(count) ?? this.latest(count);
  }

  /** The top as it is, past what is kept of it. */
  latest(count: number): Promise<BoardPage<Meta>> {
    return this.#named(async () => {
      checkWhole('count', count, 1, mostRows);
      return this.#page({ from: 0, count });
    });
  }

  page(query: PageQuery = {}): Promise<BoardPage<Meta>> {
    return this.#named(async () => this.#page(readPageQuery(query).query));
  }

  range(query: RangeQuery): Promise<BoardPage<Meta>> {
    return this.#named(async () => {
      checkRange(query);
      if ('after' in query) return this.#after(query.after, countOf(query.count));
      const asked = readRange(query, this.#source.rules);
      return this.#page(asked.query, asked.until);
    });
  }

  get(member: string): Promise<BoardStanding<Meta> | null> {
    return this.#named(async () => {
      checkMember(member);
      const { standings, size } = await this.#source.find([member]);
      const found = standings[0] ?? null;
      if (found === null) return null;
      const [standing] = await this.#withMeta([{ member, ...found, size, percentile: percentile(size, found.ahead) }]);
      return standing ?? null;
    });
  }

  around(member: string, each = defaultEach): Promise<BoardPage<Meta> | null> {
    return this.#named(async () => {
      checkMember(member);
      checkWhole('each', each, 0, mostEach);
      const page = await this.#page({ around: member, count: 2 * each + 1 });
      return page.rows.length === 0 ? null : page;
    });
  }

  among(members: readonly string[]): Promise<readonly BoardFriend<Meta>[]> {
    return this.#named(async () => {
      if (!Array.isArray(members)) throw wrong('members', 'a list of members', members);
      const asked = [...new Set(members)];
      if (asked.length === 0) return [];
      checkMembers(asked);
      const { rules } = this.#source;
      const { standings } = await this.#source.find(asked);
      const found = asked.flatMap((member, place) => {
        const standing = standings[place];
        return standing ? [{ member, reached: 0, ...standing }] : [];
      });
      found.sort((a, b) => a.ahead - b.ahead || compareEntries(rules, a, b));
      const local = rankRows(rules.ties, found, 0, 1);
      return this.#withMeta(
        found.map(({ member, score, rank }, place) => ({ member, score, rank, localRank: local[place]?.rank ?? 1 })),
      );
    });
  }

  size(): Promise<number> {
    return this.#named(async () => (await this.#source.page({ from: 0, count: 1 })).size);
  }

  async *export(): AsyncGenerator<BoardRow<Meta>, void, undefined> {
    try {
      const { rules } = this.#source;
      const found = new Map<string, RankingEntry>();
      for await (const entries of this.#source.scan()) for (const entry of entries) found.set(entry.member, entry);
      const sorted = [...found.values()].sort((a, b) => compareEntries(rules, a, b));
      const rows = rankRows(rules.ties, sorted, 0, 1);
      for (let from = 0; from < rows.length; from += exportedAtOnce)
        yield* await this.#withMeta(rows.slice(from, from + exportedAtOnce));
    } catch (error) {
      throw named(this.#parts.name, error);
    }
  }

  #after(written: string, count: number): Promise<BoardPage<Meta>> {
    const { scope, place } = this.#parts;
    const cursor = typeof written === 'string' ? readCursor(scope, written) : undefined;
    if (cursor?.place !== place) throw foreignCursor();
    return this.#page({ after: cursor.mark, count }, cursor.until);
  }

  /** @param until the last score of the range that the page belongs to */
  async #page(query: RankingQuery, until?: number): Promise<BoardPage<Meta>> {
    const page = await this.#source.page(query);
    const { from, size, now: at } = page;
    const { rules } = this.#source;
    const within = until === undefined ? page.rows : page.rows.filter(({ score }) => !isBetter(rules, until, score));
    const next = within.length < page.rows.length ? undefined : this.#next(page, query, until);
    return { rows: await this.#withMeta(within), from, size, next, at, stale: false };
  }

  #next({ rows, from, size, end }: RankingPage, { count }: RankingQuery, until?: number): string | undefined {
    const isLast = from + rows.length >= size || (until !== undefined && rows.length < count);
    if (end === undefined || isLast) return undefined;
    const { scope, place } = this.#parts;
    return writeCursor(scope, { place, until, mark: end });
  }

  async #withMeta<Row extends { readonly member: string }>(rows: readonly Row[]): Promise<(Row & { meta?: Meta })[]> {
    return this.#parts.metas?.over(rows) ?? [...rows];
  }

  #named<Result>(work: () => Promise<Result>): Promise<Result> {
    return naming(this.#parts.name, work);
  }
}
