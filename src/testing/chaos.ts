/** Wraps a backend so that it fails in every way a network can, the same way again for the same seed. */

import type { Backend, FacetName } from '../backend/backend.ts';
import type { Counters } from '../backend/counters.ts';
import type { Limits } from '../backend/limits.ts';
import type { Rankings } from '../backend/rankings.ts';
import type { Uniques } from '../backend/uniques.ts';
import type { Stored, Values } from '../backend/values.ts';
import { systemClock, type Clock } from '../support/clock.ts';
import { wrapBus, wrapChanges } from './chaos-bus.ts';
import { Wire, type ChaosRates, type ChaosSwitches } from './chaos-wire.ts';
import { seededRandom } from './random.ts';

export interface ChaosOptions extends ChaosRates {
  /** The same seed and the same calls give the same faults. @default 1 */
  readonly seed?: number;
  /** What delays are measured with. @default the machine's own */
  readonly clock?: Clock;
}

/** The facets that `Wrapped` has, behind chaos. `values.resident` is off: nothing can go wrong on the way to it. */
export type ChaosBackend<Wrapped extends Backend> = Backend &
  Pick<Wrapped, FacetName & keyof Wrapped> & { readonly chaos: ChaosSwitches };

/**
 * Returns a backend that does what `backend` does, with faults. `health`, `watch` and `close` are left alone.
 *
 * @example
 * const backend = chaos(memory(), { seed: 7, drops: 0.1, delayMs: [0, 20] });
 * backend.chaos.set({ throws: 1 });
 */
export function chaos<Wrapped extends Backend>(backend: Wrapped, options: ChaosOptions = {}): ChaosBackend<Wrapped> {
  const { seed = 1, clock = systemClock, ...rates } = options;
  const wire = new Wire(seededRandom(seed), clock);
  wire.set(rates);
  const { values, counters, limits, rankings, uniques, bus } = backend;
  const wrapped: Backend & { readonly chaos: ChaosSwitches } = {
    name: backend.name,
    ...(values && { values: wrapValues(values, wire) }),
    ...(counters && { counters: wrapCounters(counters, wire) }),
    ...(limits && { limits: wrapLimits(limits, wire) }),
    ...(rankings && { rankings: wrapRankings(rankings, wire) }),
    ...(uniques && { uniques: wrapUniques(uniques, wire) }),
    ...(bus && { bus: wrapBus(bus, wire) }),
    health: () => backend.health(),
    watch: (listener) => backend.watch(listener),
    close: () => {
      wire.release();
      return backend.close();
    },
    chaos: wire,
  };
  // The facets of `wrapped` are those of `backend`, which only its type parameter knows.
  return wrapped as Backend as ChaosBackend<Wrapped>;
}

function wrapValues(values: Values, wire: Wire): Values {
  return {
    maxValueBytes: values.maxValueBytes,
    get: (key) => wire.read(() => values.get(key), corrupt),
    getMany: (keys) =>
      wire.read(
        () => values.getMany(keys),
        (answers, where) => {
          const chosen = Math.floor(where * answers.length);
          return answers.map((stored, index) => (index === chosen ? corrupt(stored, where) : stored));
        },
      ),
    take: (key) => wire.read(() => values.take(key), corrupt),
    set: (key, bytes, ttlMs) => wire.run(() => values.set(key, bytes, ttlMs)),
    add: (key, bytes, ttlMs) => wire.run(() => values.add(key, bytes, ttlMs)),
    cas: (key, version, bytes, ttlMs) => wire.run(() => values.cas(key, version, bytes, ttlMs)),
    touch: (key, ttlMs) => wire.run(() => values.touch(key, ttlMs)),
    delete: (keys) => wire.run(() => values.delete(keys)),
    deleteIf: (key, version) => wire.run(() => values.deleteIf(key, version)),
    ...(values.list && { list: (prefix) => wrapPortions(values.list?.(prefix), wire) }),
    ...(values.changes && { changes: wrapChanges(values.changes, wire) }),
  };
}

/** Each portion is an answer of its own. */
async function* wrapPortions<Part>(all: AsyncIterable<readonly Part[]> | undefined, wire: Wire) {
  const portions = all?.[Symbol.asyncIterator]();
  if (portions === undefined) return;
  try {
    for (;;) {
      const step = await wire.run(() => portions.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await portions.return?.();
  }
}

/** Returns a copy with one bit flipped, the end missing, or a byte too many. */
function corrupt(stored: Stored | undefined, where: number): Stored | undefined {
  if (stored === undefined) return undefined;
  const { bytes, version } = stored;
  const at = Math.floor(where * 997 * bytes.length) % Math.max(1, bytes.length);
  const kind = bytes.length === 0 ? 2 : Math.floor(where * 9973) % 3;
  if (kind === 1) return { bytes: bytes.slice(0, at), version };
  const copy = new Uint8Array(bytes.length + (kind === 2 ? 1 : 0));
  copy.set(bytes);
  if (kind === 0) copy[at] = (bytes[at] ?? 0) ^ (1 << (Math.floor(where * 99_991) % 8));
  return { bytes: copy, version };
}

function wrapCounters(counters: Counters, wire: Wire): Counters {
  return {
    add: (key, by, ttlMs) => wire.run(() => counters.add(key, by, ttlMs)),
    read: (keys) => wire.run(() => counters.read(keys)),
  };
}

function wrapLimits(limits: Limits, wire: Wire): Limits {
  return {
    take: (keys, plans, cost, gate) => wire.run(() => limits.take(keys, plans, cost, gate)),
    look: (keys, plans, cost, gate) => wire.run(() => limits.look(keys, plans, cost, gate)),
    charge: (keys, plans, cost) => wire.run(() => limits.charge(keys, plans, cost)),
    give: (keys, plans, cost) => wire.run(() => limits.give(keys, plans, cost)),
    shut: (gate, ms) => wire.run(() => limits.shut(gate, ms)),
    reset: (keys, plans) => wire.run(() => limits.reset(keys, plans)),
  };
}

function wrapRankings(rankings: Rankings, wire: Wire): Rankings {
  return {
    maxMembers: rankings.maxMembers,
    submit: (boards, rules, submissions) => wire.run(() => rankings.submit(boards, rules, submissions)),
    page: (key, rules, query) => wire.run(() => rankings.page(key, rules, query)),
    find: (key, rules, members) => wire.run(() => rankings.find(key, rules, members)),
    remove: (keys, rules, members) => wire.run(() => rankings.remove(keys, rules, members)),
    removeScores: (keys, rules, least, most) => wire.run(() => rankings.removeScores(keys, rules, least, most)),
    move: (key, to, rules) => wire.run(() => rankings.move(key, to, rules)),
    scan: (key, rules) => wrapPortions(rankings.scan(key, rules), wire),
    ...(rankings.endangered && { endangered: async () => rankings.endangered?.() }),
  };
}

function wrapUniques(uniques: Uniques, wire: Wire): Uniques {
  return {
    add: (key, members, ttlMs) => wire.run(() => uniques.add(key, members, ttlMs)),
    count: (keys) => wire.run(() => uniques.count(keys)),
  };
}
