/** Wraps a backend so that it fails in every way a network can, the same way again for the same seed. */

import type { Backend, FacetName } from '../backend/backend.ts';
import type { Bus, Subscription } from '../backend/bus.ts';
import type { Counters } from '../backend/counters.ts';
import type { Stored, Values } from '../backend/values.ts';
import { sleep, systemClock, type Clock } from '../support/clock.ts';
import { HotshelfError } from '../support/errors.ts';
import { seededRandom } from './random.ts';

/** How often what happens; shares are from 0 to 1 and count for each command by itself. */
export interface ChaosRates {
  /** Commands that are not sent: `BACKEND_DOWN`. @default 0 */
  readonly throws?: number;
  /** Commands without an answer, half of them applied: `OUTCOME_UNKNOWN`. @default 0 */
  readonly drops?: number;
  /** Commands that are not sent and do not settle before `release()`. @default 0 */
  readonly hangs?: number;
  /** Stored values that come back with changed, missing or added bytes. @default 0 */
  readonly corrupts?: number;
  /** The least and the most that a request and its answer travel, in ms, each by itself. @default [0, 0] */
  readonly delayMs?: readonly [number, number];
}

export interface ChaosOptions extends ChaosRates {
  /** The same seed and the same calls give the same faults. @default 1 */
  readonly seed?: number;
  /** What delays are measured with. @default the machine's own */
  readonly clock?: Clock;
}

export interface ChaosSwitches {
  /** Changes the rates that are named; the others stay. */
  set(rates: ChaosRates): void;
  /** Sets all rates to 0. */
  calm(): void;
  /** Fails every hanging command with `OUTCOME_UNKNOWN`. */
  release(): void;
  /** Loses all messages from now on, and tells every subscriber of the gap. */
  cut(): void;
  /** Ends what `cut` began. */
  mend(): void;
  /** How many faults there were, by kind. */
  readonly counts: Readonly<Record<Fault, number>>;
}

/** The facets that `Wrapped` has, behind chaos. `values.resident` is off: nothing can go wrong on the way to it. */
export type ChaosBackend<Wrapped extends Backend> = Backend &
  Pick<Wrapped, FacetName & keyof Wrapped> & { readonly chaos: ChaosSwitches };

type Fault = 'throws' | 'drops' | 'hangs' | 'corrupts';

/** What befalls one command; drawn when it is called, whatever the rates are, so that a seed keeps its sequence. */
interface Fate {
  readonly fault: Exclude<Fault, 'corrupts'> | undefined;
  /** With `drops`: whether the command is carried out although its answer is lost. */
  readonly applied: boolean;
  readonly corrupts: boolean;
  /** Where and how bytes are corrupted, in [0, 1). */
  readonly where: number;
  readonly requestMs: number;
  readonly answerMs: number;
}

const calmRates: Required<ChaosRates> = { throws: 0, drops: 0, hangs: 0, corrupts: 0, delayMs: [0, 0] };

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
  const { values, counters, bus } = backend;
  const wrapped: Backend & { readonly chaos: ChaosSwitches } = {
    name: backend.name,
    ...(values && { values: wrapValues(values, wire) }),
    ...(counters && { counters: wrapCounters(counters, wire) }),
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

class Wire implements ChaosSwitches {
  readonly counts: Record<Fault, number> = { throws: 0, drops: 0, hangs: 0, corrupts: 0 };
  /** Called when the bus is cut and when it is mended. */
  readonly gapListeners = new Set<(state: 'lost' | 'restored') => void>();
  isCut = false;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #hanging = new Set<(error: HotshelfError) => void>();
  #rates = calmRates;

  constructor(random: () => number, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  set(rates: ChaosRates): void {
    this.#rates = { ...this.#rates, ...rates };
  }

  calm(): void {
    this.#rates = calmRates;
  }

  release(): void {
    for (const fail of this.#hanging) fail(outcomeUnknown());
    this.#hanging.clear();
  }

  cut(): void {
    this.isCut = true;
    for (const tell of this.gapListeners) tell('lost');
  }

  mend(): void {
    this.isCut = false;
    for (const tell of this.gapListeners) tell('restored');
  }

  draw(): Fate {
    const [pick, apply, corrupt, where, request, answer] = Array.from({ length: 6 }, this.#random) as SixNumbers;
    const { throws, drops, hangs, corrupts, delayMs } = this.#rates;
    const fault = pick < throws ? 'throws' : pick < throws + drops ? 'drops' : 'hangs';
    const travel = (share: number) => delayMs[0] + share * (delayMs[1] - delayMs[0]);
    return {
      fault: pick < throws + drops + hangs ? fault : undefined,
      applied: apply < 0.5,
      corrupts: corrupt < corrupts,
      where,
      requestMs: travel(request),
      answerMs: travel(answer),
    };
  }

  /** Carries a command out as its fate says. Without delays it is sent at once: in the tick of its call. */
  async run<Answer>(send: () => Promise<Answer>, fate: Fate = this.draw()): Promise<Answer> {
    if (fate.requestMs > 0) await this.delay(fate.requestMs);
    if (fate.fault !== undefined) {
      this.counts[fate.fault] += 1;
      if (fate.fault === 'throws') throw new HotshelfError('BACKEND_DOWN', 'Chaos: the command was not sent.');
      if (fate.fault === 'hangs') return new Promise<never>((_, reject) => this.#hanging.add(reject));
      if (fate.applied) await send();
      throw outcomeUnknown();
    }
    const answer = await send();
    if (fate.answerMs > 0) await this.delay(fate.answerMs);
    return answer;
  }

  /** As `run`, for an answer whose bytes may be corrupted. */
  async read<Answer>(send: () => Promise<Answer>, alter: (answer: Answer, where: number) => Answer): Promise<Answer> {
    const fate = this.draw();
    const answer = await this.run(send, fate);
    if (!fate.corrupts) return answer;
    this.counts.corrupts += 1;
    return alter(answer, fate.where);
  }

  delay(ms: number): Promise<void> {
    return sleep(this.#clock, ms);
  }
}

type SixNumbers = [number, number, number, number, number, number];

function outcomeUnknown(): HotshelfError {
  return new HotshelfError(
    'OUTCOME_UNKNOWN',
    'Chaos: the answer was lost; the command may or may not have been applied.',
  );
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
  };
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

function wrapBus(bus: Bus, wire: Wire): Bus {
  /** Resolves when all that was published before is under way: messages of one publisher keep their order. */
  let before = Promise.resolve();
  return {
    // Commands and messages travel side by side here, each for its own time.
    ordered: false,
    publish(topic, message) {
      const fate = wire.draw();
      before = before.then(() => (fate.requestMs > 0 ? wire.delay(fate.requestMs) : undefined));
      return before.then(() => wire.run(() => bus.publish(topic, message), { ...fate, requestMs: 0 }));
    },
    async subscribe(topic, listener, options = {}): Promise<Subscription> {
      if (wire.isCut) throw new HotshelfError('BACKEND_DOWN', 'Chaos: the bus is cut.');
      const unlessCut = (message: string) => {
        if (!wire.isCut) listener(message);
      };
      // A subscription without an answer is none: its caller could not end it.
      const fate: Fate = { ...wire.draw(), applied: false };
      const onGap = (state: 'lost' | 'restored') => options.onGap?.(state);
      const onProbe = (sentAgoMs: number) => {
        if (!wire.isCut) options.onProbe?.(sentAgoMs);
      };
      const probing = { ...options, ...(options.onProbe && { onProbe }) };
      const subscription = await wire.run(() => bus.subscribe(topic, unlessCut, probing), fate);
      wire.gapListeners.add(onGap);
      return {
        close: () => {
          wire.gapListeners.delete(onGap);
          return subscription.close();
        },
      };
    },
  };
}
