/** The plays that every subject must stand: reads and writes at random, and a write against a load in flight. */
import { appendFileSync } from 'node:fs';
import { seededRandom } from '../kit/random.ts';
import { sleep, until } from '../kit/wait.ts';
import { type BackendName, type Crew, type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import { type History, merge, staleReads, type StaleRead } from './history.ts';
import type { Account } from './subject.ts';
import type { SubjectName } from './subjects.ts';

export const seed = Number(process.env.HOTSHELF_SEED ?? Math.floor(Math.random() * 1_000_000));

export const rows = ['a', 'b', 'c', 'd'];

export interface Outcome {
  readonly history: History;
  readonly stale: readonly StaleRead[];
  /** What each process recorded. */
  readonly own: readonly History[];
  /** How often the origin was read. */
  readonly loads: number;
  /** What became of each cache. */
  readonly accounts: readonly Account[];
}

/** Adds up one count of all caches. */
export function total({ accounts }: Outcome, count: (account: Account) => number | undefined): number {
  return accounts.reduce((sum, account) => sum + (count(account) ?? 0), 0);
}

async function outcomeOf(fleet: Fleet, own: readonly History[]): Promise<Outcome> {
  const history = merge(own);
  const accounts = await fleet.accounts();
  return { history, own, stale: staleReads(history), loads: fleet.origin.reads(), accounts };
}

/** Three processes (or caches), each with six readers and two writers, on four rows. */
export async function playAtRandom(
  crew: Crew,
  backend: BackendName,
  subject: SubjectName,
  readsEach: number,
  options: Partial<FleetOptions> = {},
): Promise<Outcome> {
  const fleet = await startFleet(crew, { backend, subject, seed, ...options });
  const crowd = backend === 'memory' ? { readers: 18, writers: 6 } : { readers: 6, writers: 2 };
  return outcomeOf(fleet, await fleet.play({ keys: rows, ...crowd, readsEach }));
}

/** Three processes with local tiers, each hearing on a way of its own if there is a bus, that play for `forMs`. */
export async function playLocally(
  crew: Crew,
  backend: Exclude<BackendName, 'memory'>,
  subject: SubjectName,
  forMs: number,
  disturb: (fleet: Fleet, isOver: () => boolean) => Promise<void> = async () => {},
): Promise<Outcome> {
  const fleet = await startFleet(crew, { backend, subject, seed, earsApart: backend === 'redis' });
  let over = false;
  const disturbance = disturb(fleet, () => over);
  // With fewer writes than elsewhere, or nothing would stay in the local tiers.
  const own = await fleet.play({ keys: rows, readers: 6, writers: 1, restMs: 150, forMs }).finally(() => (over = true));
  await disturbance;
  return outcomeOf(fleet, own);
}

/**
 * A cold read is on its way to the origin when the row is written and invalidated, and half of them come home only after that;
 * whatever the cold read put into the cache would stay there for an hour. Returns how many of the trials ended with the old row.
 */
export async function stuckTrials(
  crew: Crew,
  backend: BackendName,
  subject: SubjectName,
  trials: number,
): Promise<number> {
  const { origin, players } = await startFleet(crew, { backend, subject, seed });
  const random = seededRandom(seed);
  const call = (verb: 'read' | 'write', key: string, cache: number, chance: number) => {
    const player = players[cache % players.length];
    if (player === undefined) throw new Error('a fleet without players');
    return player.call(verb, { key, cache, chance });
  };
  const trial = async (index: number): Promise<boolean> => {
    const key = `trial-${index}`;
    const page = random();
    const comeHome = origin.hold(key);
    const cold = call('read', key, index, page);
    await until(() => origin.reads(key) > 0, { what: `the cold read of ${key}`, every: 1 });
    if (index % 2 === 0) void sleep(random() * 20).then(comeHome);
    const version = await call('write', key, index + 1, random());
    comeHome();
    if (index % 2 === 1) await cold;
    const first = await call('read', key, index + 2, page);
    await cold;
    const second = await call('read', key, index, page);
    return first !== version || second !== version;
  };
  let stuck = 0;
  for (let index = 0; index < trials; index += 10) {
    const batch = await Promise.all(Array.from({ length: 10 }, (_, offset) => trial(index + offset)));
    stuck += batch.filter(Boolean).length;
  }
  return stuck;
}

const mostPlays = 8;

/**
 * For controls: plays again until something was caught, and returns how much; 0 if nothing was in eight plays. What must not
 * happen is played once, what must happen is a matter of chance, and a busy machine deals slowly.
 */
export async function catchAny(play: () => Promise<number>): Promise<number> {
  for (let count = 1; ; count += 1) {
    const caught = await play();
    if (caught > 0 || count === mostPlays) return caught;
  }
}

/** Adds a row to the file that `HOTSHELF_STALE_TABLE` names, for the README. */
export function report(...cells: readonly (string | number)[]): void {
  const table = process.env.HOTSHELF_STALE_TABLE;
  if (table !== undefined) appendFileSync(table, `| ${cells.join(' | ')} |\n`);
}

/** As `report`, for a play. */
export function reportPlay(name: string, { history, stale }: Outcome, note = ''): void {
  report(name, history.reads.length, history.writes.length, stale.length, note);
}
