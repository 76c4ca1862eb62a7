/** The options of a leaderboard: names, defaults and checks. */

import type { BackendWith } from '../backend/backend.ts';
import type { Bus } from '../backend/bus.ts';
import { facet } from '../backend/facet.ts';
import { checkRules } from '../backend/rankings/check.ts';
import type { RankingRules, Rankings } from '../backend/rankings.ts';
import type { Values } from '../backend/values.ts';
import { systemClock, type Clock } from '../support/clock.ts';
import { durationMs, type Duration } from '../support/duration.ts';
import { describe, HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { checkWhole, named, wrong } from './naming.ts';
import type { TopCacheRules } from './reading/top-cache.ts';
import { readWindows, type WindowOptions } from './time/options.ts';
import type { CalendarRules } from './time/calendar.ts';
import type { WindowKind } from './time/windows.ts';

export interface LeaderboardOptions<Kind extends WindowKind = WindowKind> extends WindowOptions<Kind> {
  /** Where it is kept. */
  readonly backend: BackendWith<'rankings'>;
  /**
   * Which score is the best: the highest (`desc`) or the lowest (`asc`, for times).
   * @default 'desc'
   */
  readonly order?: 'desc' | 'asc';
  /**
   * What members with the same score share: their rank, with a gap after them (`competition`: 1 2 2 4) or without one (`dense`: 1 2 2
   * 3); or nothing, because who reached it first is ahead (`earliest`).
   * @default 'competition'
   */
  readonly ties?: 'competition' | 'dense' | 'earliest';
  /**
   * What becomes of a member's older score: the better one stays (`best`), the newer one stays (`last`), or they are added up (`sum`).
   * @default 'best'
   */
  readonly mode?: 'best' | 'last' | 'sum';
  /**
   * The most members of each window; those behind are dropped.
   * @default Infinity
   */
  readonly cap?: number;
  /**
   * Which scores may be submitted; with `sum`, which steps. Others are refused before they are sent.
   * @default any finite number
   */
  readonly bounds?: { readonly least?: number; readonly most?: number };
  /**
   * Answers `top()` from memory: up to `size` members for `for` (500 ms), and for `grace` (5 s) more while the store does not answer.
   * @default false
   */
  readonly cacheTop?: boolean | TopCacheOptions;
  /**
   * Tells subscribers of other processes of changes, at most once in `every` (250 ms). Where the backend has no bus, subscribers look
   * every `poll` (1 s) instead. With `false` submitters tell nobody.
   * @default true
   */
  readonly live?: boolean | LiveOptions;
  /**
   * Keeps what `setMeta` says of members, for `ttl` after the last `setMeta` or until they are removed, and adds it to the rows.
   * @default false
   */
  readonly meta?: boolean | { readonly ttl?: Duration };
  /**
   * Time, timers and randomness. The clock of this process says which window it is.
   * @default the machine's own
   */
  readonly clock?: Clock;
}

export interface TopCacheOptions {
  /** @default 100 */
  readonly size?: number;
  /** At most 10 s. @default '500ms' */
  readonly for?: Duration;
  /** @default '5s' */
  readonly grace?: Duration;
}

export interface LiveOptions {
  /** @default '250ms' */
  readonly every?: Duration;
  /** @default '1s' */
  readonly poll?: Duration;
}

export interface LiveRules {
  readonly everyMs: number;
  readonly pollMs: number;
  /** `undefined` where nobody is told. */
  readonly bus: Bus | undefined;
}

export interface LeaderboardRules extends CalendarRules {
  readonly backend: BackendWith<'rankings'>;
  readonly rankings: Rankings;
  readonly name: string;
  readonly rules: RankingRules;
  readonly least: number;
  readonly most: number;
  readonly cacheTop: TopCacheRules | undefined;
  readonly live: LiveRules;
  /** `undefined` where nothing is kept of members. */
  readonly values: Values | undefined;
  readonly metaTtlMs: number;
  readonly clock: Clock;
}

export const leaderboardDefaults = {
  order: 'desc',
  ties: 'competition',
  mode: 'best',
  cap: Infinity,
  cacheTop: { size: 100, for: '500ms', grace: '5s' },
  live: { every: '250ms', poll: '1s' },
} as const;

const knownNames: readonly (keyof LeaderboardOptions)[] = [
  'backend',
  'order',
  'ties',
  'mode',
  'windows',
  'timeZone',
  'weekStart',
  'keep',
  'cap',
  'bounds',
  'cacheTop',
  'live',
  'meta',
  'clock',
];
const modes: readonly unknown[] = ['best', 'last', 'sum'];
const user = 'leaderboard()';
const longestName = 100;
const longestCacheMs = 10_000;
const mostRows = 1000;

/** @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`. */
export function readOptions(name: string, options: LeaderboardOptions): LeaderboardRules {
  if (typeof name !== 'string' || name === '' || name.length > longestName)
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected the name of a ${user} to be a text of 1 to ${longestName} characters, got ${describe(name)}.`,
    );
  checkOptionNames(options, knownNames, user);
  try {
    return readNamed(name, options ?? {});
  } catch (error) {
    throw named(name, error);
  }
}

function readNamed(name: string, options: LeaderboardOptions): LeaderboardRules {
  const { backend, clock = systemClock } = options;
  if (typeof backend !== 'object' || backend === null) throw wrong('backend', 'a backend, such as memory()', backend);
  if (typeof clock?.monotonic !== 'function' || typeof clock.after !== 'function')
    throw wrong('clock', 'a Clock', clock);
  const rankings = facet(backend, 'rankings', user);
  const meta = partsOf('meta', options.meta ?? false, ['ttl']);
  return {
    backend,
    rankings,
    name,
    ...readWindows(options),
    rules: readRules(options, rankings),
    ...readBounds(options),
    cacheTop: readCacheTop(options),
    live: readLive(options),
    values: meta === undefined ? undefined : facet(backend, 'values', user),
    metaTtlMs: meta?.['ttl'] === undefined ? Infinity : Math.ceil(durationMs(meta['ttl'], 'meta.ttl')),
    clock,
  };
}

function readRules(options: LeaderboardOptions, { maxMembers }: Rankings): RankingRules {
  const { order, ties, mode, cap } = leaderboardDefaults;
  const rules = {
    order: options.order ?? order,
    ties: options.ties ?? ties,
    mode: options.mode ?? mode,
    cap: options.cap ?? cap,
  };
  // The facet has one more, for trending(), whose scores are logarithms.
  if (!modes.includes(rules.mode)) throw wrong('mode', '"best", "last" or "sum"', rules.mode);
  checkRules(rules, maxMembers);
  return rules;
}

function readBounds({ bounds }: LeaderboardOptions): { least: number; most: number } {
  checkOptionNames(bounds, ['least', 'most'], '`bounds`');
  const { least = -Infinity, most = Infinity } = bounds ?? {};
  if (typeof least === 'number' && typeof most === 'number' && least <= most) return { least, most };
  throw wrong('bounds', '{ least, most }, two numbers, the lower one first', bounds);
}

function readCacheTop({ cacheTop = false }: LeaderboardOptions): TopCacheRules | undefined {
  const parts = partsOf('cacheTop', cacheTop, ['size', 'for', 'grace']);
  if (parts === undefined) return undefined;
  const defaults = leaderboardDefaults.cacheTop;
  const size = parts['size'] ?? defaults.size;
  checkWhole('cacheTop.size', size, 1, mostRows);
  const forMs = durationMs(parts['for'] ?? defaults.for, 'cacheTop.for');
  if (forMs > longestCacheMs) throw wrong('cacheTop.for', 'at most 10 s', parts['for']);
  const graceMs = durationMs(parts['grace'] ?? defaults.grace, 'cacheTop.grace', { orZero: true });
  return { size: Number(size), forMs, graceMs };
}

function readLive({ live = true, backend }: LeaderboardOptions): LiveRules {
  const parts = partsOf('live', live, ['every', 'poll']);
  const defaults = leaderboardDefaults.live;
  return {
    everyMs: durationMs(parts?.['every'] ?? defaults.every, 'live.every'),
    pollMs: durationMs(parts?.['poll'] ?? defaults.poll, 'live.poll'),
    bus: parts === undefined ? undefined : backend.bus,
  };
}

/** Returns the parts of an option that is a boolean or an object; `undefined` for `false`. */
function partsOf(
  name: string,
  option: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  if (option === false) return undefined;
  if (option === true) return {};
  checkOptionNames(option, known, `\`${name}\``);
  if (option === undefined) return undefined;
  return { ...(option as object) };
}
