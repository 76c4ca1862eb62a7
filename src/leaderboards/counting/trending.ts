/** Finds what is asked for most of late, among any number of members, in a space that does not grow with them. */

import type { BackendWith } from '../../backend/backend.ts';
import type { RankingRules, Rankings } from '../../backend/rankings.ts';
import { checkMember, mostRows, mostSubmissions } from '../../backend/rankings/check.ts';
import { weightAt } from '../../backend/rankings/decay.ts';
import { systemClock, type Clock } from '../../support/clock.ts';
import { durationMs, type Duration } from '../../support/duration.ts';
import { checkOptionNames } from '../../support/options.ts';
import { checkClock, checkName, checkWhole, facetOf, wrong } from './checks.ts';
import { heedless } from './heedless.ts';
import { Hits } from './hits.ts';
import { startOf } from './key.ts';

export interface TrendingOptions {
  /** Where it is kept. Trends with the same name, half-life and capacity on the same server are one. */
  readonly backend: BackendWith<'rankings'>;
  /** After this a hit has half of its weight, at least 1 s. */
  readonly halfLife: Duration;
  /**
   * How many members are remembered. Who has more than a `capacity`-th of all weight is one of them.
   * @default 1000
   */
  readonly capacity?: number;
  /**
   * Time: says when a trend that nobody hits goes. Weights decay by the clock of the store.
   * @default the machine's own
   */
  readonly clock?: Clock;
}

/** A member and what it weighs now. */
export interface TrendingRow {
  readonly member: string;
  /** The hits that it had, each halved once in every half-life since; at most a `capacity`-th of all weight too much. */
  readonly weight: number;
  /** From 1; members of the same weight share it. */
  readonly rank: number;
}

export interface Trending {
  readonly name: string;
  /**
   * Adds a hit. Those of one tick go together, in one command. What nobody waits for fails in silence: `void cities.hit(id)`.
   *
   * @param member 1 to 256 bytes of UTF-8
   * @param weight above 0, up to 2^53
   * @throws {HotshelfError} `OPTION_INVALID`; `BACKEND_DOWN` or `BACKEND_REFUSED` if it was not counted; `OUTCOME_UNKNOWN` if
   *   it was counted once or not at all.
   */
  hit(member: string, weight?: number): Promise<void>;
  /**
   * The members with the most weight.
   *
   * @param count 1 to 1000, 10 by default
   * @throws {HotshelfError} as `hit`
   */
  top(count?: number): Promise<readonly TrendingRow[]>;
  /**
   * One member, or `null` if it is not remembered.
   *
   * @throws {HotshelfError} as `hit`
   */
  get(member: string): Promise<TrendingRow | null>;
  /**
   * Forgets a member; tells whether it was remembered.
   *
   * @throws {HotshelfError} as `hit`
   */
  remove(member: string): Promise<boolean>;
}

export const trendingDefaults = { capacity: 1000 } as const;

const knownNames: readonly (keyof TrendingOptions)[] = ['backend', 'halfLife', 'capacity', 'clock'];
/** A score is a number of half-lives since the epoch: of shorter ones it has too few digits left for what is added to it. */
const shortestHalfLifeMs = 1000;
const mostCapacity = 1_000_000;
/** What weighed a billion then weighs a millionth now. */
const livesFor = 50;

/**
 * Returns what is trending: each hit weighs 1 when it comes, half of that a half-life later, a quarter after two.
 *
 * Bounded by space-saving: a newcomer to a full board takes the place and the weight of the last one. So whoever weighs more than
 * a `capacity`-th of all is on the board, whatever the order of the hits, and no weight is overestimated by more than that.
 *
 * @param name what is counted, in 1 to 100 characters
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * const cities = trending('cities', { backend, halfLife: '1h' });
 * void cities.hit('nice');
 * const [first] = await cities.top(10); // { member: 'nice', weight: 1, rank: 1 }
 */
export function trending(name: string, options: TrendingOptions): Trending {
  checkName(name, 'trending()');
  checkOptionNames(options, knownNames, 'trending()');
  const { backend, halfLife, capacity = trendingDefaults.capacity, clock = systemClock } = options ?? {};
  const halfLifeMs = durationMs(halfLife, 'halfLife');
  if (halfLifeMs < shortestHalfLifeMs) throw wrong('halfLife', 'trending()', 'a duration of at least 1 s', halfLife);
  checkClock(clock, 'trending()');
  const rankings = facetOf(backend, 'rankings', 'trending()');
  checkWhole('capacity', 'trending()', capacity, 1, Math.min(mostCapacity, rankings.maxMembers));
  return new DecayedTrending(name, rankings, { halfLifeMs, capacity }, clock);
}

class DecayedTrending implements Trending {
  readonly name: string;
  readonly #rankings: Rankings;
  readonly #halfLifeMs: number;
  readonly #rules: RankingRules;
  readonly #key: string;
  readonly #hits: Hits;

  constructor(
    name: string,
    rankings: Rankings,
    { halfLifeMs, capacity }: { readonly halfLifeMs: number; readonly capacity: number },
    clock: Clock,
  ) {
    this.name = name;
    this.#rankings = rankings;
    this.#halfLifeMs = halfLifeMs;
    this.#rules = { order: 'desc', ties: 'competition', mode: 'decay', halfLifeMs, cap: capacity };
    // Boards of different rules must not share keys.
    this.#key = `${startOf('trending', name)}:${halfLifeMs}:${capacity}`;
    this.#hits = new Hits(mostSubmissions, async (submissions) => {
      const board = { key: this.#key, expiresAt: clock.now() + livesFor * halfLifeMs };
      await rankings.submit([board], this.#rules, submissions);
    });
  }

  hit(member: string, weight = 1): Promise<void> {
    return heedless(this.#hit(member, weight));
  }

  async #hit(member: string, weight: number): Promise<void> {
    checkMember(member);
    // A hit that is wrong must not be the end of those that go with it.
    if (!(typeof weight === 'number' && weight > 0 && weight <= Number.MAX_SAFE_INTEGER))
      throw wrong('weight', 'hit()', 'a number above 0 and at most 2^53 - 1', weight);
    await this.#hits.add(member, weight);
  }

  async top(count = 10): Promise<readonly TrendingRow[]> {
    checkWhole('count', 'top()', count, 1, mostRows);
    const { rows, now } = await this.#rankings.page(this.#key, this.#rules, { from: 0, count });
    return rows.map(({ member, score, rank }) => ({ member, weight: weightAt(score, now, this.#halfLifeMs), rank }));
  }

  async get(member: string): Promise<TrendingRow | null> {
    const { standings, now } = await this.#rankings.find(this.#key, this.#rules, [member]);
    const standing = standings[0] ?? null;
    if (standing === null) return null;
    return { member, weight: weightAt(standing.score, now, this.#halfLifeMs), rank: standing.rank };
  }

  async remove(member: string): Promise<boolean> {
    const [removed = 0] = await this.#rankings.remove([this.#key], this.#rules, [member]);
    return removed > 0;
  }
}
