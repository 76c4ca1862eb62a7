/** Reads several leaderboards as one. */

import { checkMembers, checkQuery } from '../../backend/rankings/check.ts';
import type { RankingEntry, RankingFound, RankingPage, RankingQuery, RankingRules } from '../../backend/rankings.ts';
import { systemClock, type Clock } from '../../support/clock.ts';
import { durationMs, type Duration } from '../../support/duration.ts';
import { checkOptionNames } from '../../support/options.ts';
import { Board } from '../board.ts';
import type { Leaderboard } from '../leaderboard.ts';
import { wrong } from '../naming.ts';
import type { BoardReader } from '../rows.ts';
import { type Where, whereNames } from '../time/where.ts';
import type { WindowKind } from '../time/windows.ts';
import { Reader } from './reader.ts';
import { Snapshot } from './snapshot.ts';
import type { Source } from './source.ts';

export interface UnionOptions<Kind extends WindowKind = WindowKind> extends Where<Kind> {
  /**
   * What the scores of one member make: their sum, or the highest or the lowest of them.
   * @default 'sum'
   */
  readonly aggregate?: 'sum' | 'max' | 'min';
  /**
   * What the scores of each board are multiplied by, in the order of the boards.
   * @default 1 for each
   */
  readonly weights?: readonly number[];
  /**
   * How long it is kept after it was computed. Questions that come meanwhile, or while it is computed, are answered from it.
   * @default '1s'
   */
  readonly for?: Duration;
  /**
   * Time.
   * @default the machine's own
   */
  readonly clock?: Clock;
}

const names: readonly (keyof UnionOptions)[] = [...whereNames, 'aggregate', 'weights', 'for', 'clock'];
const aggregates = {
  sum: (a: number, b: number) => within(a + b),
  max: (a: number, b: number) => Math.max(a, b),
  min: (a: number, b: number) => Math.min(a, b),
};

/**
 * Returns a reader of several boards as if they were one: who is on any of them is on it.
 *
 * It is computed in this process from all members of all boards, so it is for boards of up to some 100,000, and it is as old as
 * `for` says. The order is that of the boards; members with the same score share a rank.
 *
 * @throws {HotshelfError} `OPTION_INVALID`
 * @example
 * const all = union([europe, asia], { window: 'day', aggregate: 'max' });
 * const { rows } = await all.top(10);
 */
export function union<Kind extends WindowKind>(
  boards: readonly Leaderboard<Kind>[],
  options: UnionOptions<Kind> = {},
): BoardReader {
  checkOptionNames(options, names, 'union()');
  const { aggregate = 'sum', for: keep = '1s', clock = systemClock, window, at, ago } = options;
  const where = { window, at, ago };
  const parts = boardsOf(boards);
  const weights = options.weights ?? parts.map(() => 1);
  if (!Object.hasOwn(aggregates, aggregate)) throw wrong('aggregate', '"sum", "max" or "min"', aggregate);
  if (weights.length !== parts.length || !weights.every(Number.isFinite))
    throw wrong('weights', `${parts.length} finite numbers`, weights);
  for (const part of parts) part.window(where);
  const sources = () => parts.map((part) => part.source(where));
  const source = new UnionSource({ sources, aggregate, weights, forMs: durationMs(keep, 'for'), clock });
  const name = parts.map((part) => part.name).join(' + ');
  const scope = JSON.stringify([parts.map((part) => part.name), aggregate, weights, where]);
  return new Reader({ name, scope, place: 'union', source, metas: undefined, cacheTop: undefined, clock });
}

interface UnionParts {
  /** The boards of now: a window may have ended since the last time. */
  readonly sources: () => readonly Source[];
  readonly aggregate: 'sum' | 'max' | 'min';
  readonly weights: readonly number[];
  readonly forMs: number;
  readonly clock: Clock;
}

class UnionSource implements Source {
  readonly rules: RankingRules;
  readonly #parts: UnionParts;
  #kept: Snapshot | undefined;
  #until = -Infinity;
  #flight: Promise<Snapshot> | undefined;

  constructor(parts: UnionParts) {
    this.#parts = parts;
    const [first] = parts.sources();
    // Who reached a score first on two boards cannot be told.
    const ties = first?.rules.ties === 'dense' ? 'dense' : 'competition';
    this.rules = { order: first?.rules.order ?? 'desc', ties, mode: 'sum', cap: Infinity };
  }

  async page(query: RankingQuery): Promise<RankingPage> {
    checkQuery('{union}', this.rules, query, Infinity);
    return (await this.#snapshot()).page(query);
  }

  async find(members: readonly string[]): Promise<RankingFound> {
    checkMembers(members);
    return (await this.#snapshot()).find(members);
  }

  async *scan(): AsyncGenerator<readonly RankingEntry[], void, undefined> {
    yield (await this.#snapshot()).entries;
  }

  async #snapshot(): Promise<Snapshot> {
    if (this.#kept !== undefined && this.#parts.clock.monotonic() < this.#until) return this.#kept;
    this.#flight ??= this.#compute().finally(() => (this.#flight = undefined));
    return this.#flight;
  }

  async #compute(): Promise<Snapshot> {
    const { sources, aggregate, weights, forMs, clock } = this.#parts;
    const scores = new Map<string, number>();
    const boards = await Promise.all(sources().map(scoresOf));
    for (const [place, board] of boards.entries()) {
      for (const [member, score] of board) {
        const weighted = within(score * (weights[place] ?? 1));
        const other = scores.get(member);
        scores.set(member, other === undefined ? weighted : aggregates[aggregate](other, weighted));
      }
    }
    const entries = Array.from(scores, ([member, score]) => ({ member, score, reached: 0 }));
    this.#kept = new Snapshot(this.rules, entries, clock.now());
    this.#until = clock.monotonic() + forMs;
    return this.#kept;
  }
}

async function scoresOf(source: Source): Promise<ReadonlyMap<string, number>> {
  const scores = new Map<string, number>();
  for await (const entries of source.scan()) for (const { member, score } of entries) scores.set(member, score);
  return scores;
}

/** A double, and no -0. */
function within(score: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, score)) + 0;
}

function boardsOf(boards: readonly unknown[]): Board<WindowKind, unknown>[] {
  const parts = Array.isArray(boards) ? boards.filter(isBoard) : [];
  if (parts.length === 0 || parts.length !== boards.length)
    throw wrong('boards', 'a list of leaderboards, of at least one', boards);
  const [first] = parts;
  if (parts.some(({ order }) => order !== first?.order))
    throw wrong('boards', 'boards of the same order', parts.map(({ order }) => order).join(' and '));
  return parts;
}

function isBoard(board: unknown): board is Board<WindowKind, unknown> {
  return board instanceof Board;
}
