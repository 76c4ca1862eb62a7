/** Holds places among those that may work at the same time, in the whole fleet: each ends by itself if its process dies. */

import type { Values, Version } from '../backend/values.ts';
import { afterAwake } from '../support/awake.ts';
import type { Clock, Timer } from '../support/clock.ts';
import { isUnconfirmed } from '../support/errors.ts';

/** A place that is held until it is released; to release it twice does nothing. */
export interface Held {
  release(): void;
}

/** Why there is no place: all are held, or the store does not answer and without it nothing is given out. */
export type Denial = 'full' | 'down';

/** Who decides while the store does not answer: a count in this process, or nobody: everything passes, or nothing does. */
export type WhenDown = 'local' | 'open' | 'closed';

export interface PlacesOptions {
  readonly values: Values;
  readonly clock: Clock;
  /** How long a process that died holds its places. */
  readonly leaseMs: number;
  /** This process gets one of so many shares of the places while the store does not answer. */
  readonly instances: number;
  readonly whenDown: WhenDown;
}

/** So long the store may take to answer. */
const deadlineMs = 100;
/** So long it is believed that there is no place, unless one is released here. */
const fullMs = 20;
/** So often another place is tried when somebody else was faster. */
const attempts = 4;
/** A full key is forgotten when so many others are. */
const mostFull = 10_000;

const mark = new Uint8Array([1]);

/** What this process holds under a key. */
interface Here {
  /** The numbers of its places. */
  readonly numbers: Set<number>;
  /** How many it holds that the store does not know of. */
  unnumbered: number;
}

/** Where a place stands in the store. */
interface Stand {
  readonly number: number;
  readonly version: Version;
  /** Before this the store was asked, by the monotonic clock. */
  readonly since: number;
}

interface Place {
  readonly key: string;
  readonly max: number;
  stand: Stand | undefined;
  renewAt: number;
  /** True while the store is asked about it. */
  busy: boolean;
}

/**
 * The places of a key are values under numbered keys: who adds one holds it, and only who added it can renew or delete it.
 */
export class Places {
  readonly #options: PlacesOptions;
  readonly #here = new Map<string, Here>();
  readonly #live = new Set<Place>();
  readonly #fullUntil = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Returns one of the `max` places under `key`, or why there is none. */
  async take(key: string, max: number): Promise<Held | Denial> {
    if ((this.#fullUntil.get(key) ?? 0) > this.#options.clock.monotonic()) return 'full';
    const asking = this.#find(key, max);
    const found = await this.#inTime(asking);
    if (found === 'down') {
      const place = this.#takeHere(key, max);
      this.#settleLater(place, key, asking);
      if (place !== undefined) return this.#hold(place);
      return this.#options.whenDown === 'closed' ? 'down' : 'full';
    }
    if (found !== undefined) return this.#hold({ key, max, stand: found, renewAt: this.#renewAt(found), busy: false });
    if (this.#fullUntil.size >= mostFull) this.#fullUntil.clear();
    this.#fullUntil.set(key, this.#options.clock.monotonic() + fullMs);
    return 'full';
  }

  /** How many places this process holds under `key`. */
  heldHere(key: string): number {
    const here = this.#here.get(key);
    return here === undefined ? 0 : here.numbers.size + here.unnumbered;
  }

  /** Finds a free number and puts a value there. First at random, for most often that is enough. */
  async #find(key: string, max: number): Promise<Stand | undefined> {
    const { clock } = this.#options;
    const first = Math.floor(clock.random() * max);
    if (this.#here.get(key)?.numbers.has(first) !== true) {
      const stand = await this.#add(key, first);
      if (stand !== undefined) return stand;
    }
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const free = await this.#free(key, max);
      const choice = free[Math.floor(clock.random() * free.length)];
      if (choice === undefined) return undefined;
      const stand = await this.#add(key, choice);
      if (stand !== undefined) return stand;
    }
    return undefined;
  }

  async #free(key: string, max: number): Promise<number[]> {
    const numbers = this.#here.get(key)?.numbers;
    const others = Array.from({ length: max }, (_, number) => number).filter((number) => numbers?.has(number) !== true);
    if (others.length === 0) return [];
    const stored = await this.#options.values.getMany(others.map((number) => name(key, number)));
    return others.filter((_, at) => stored[at] === undefined);
  }

  async #add(key: string, number: number): Promise<Stand | undefined> {
    const { values, clock, leaseMs } = this.#options;
    const since = clock.monotonic();
    const version = await values.add(name(key, number), mark, leaseMs);
    return version === undefined ? undefined : { number, version, since };
  }

  #inTime(asking: Promise<Stand | undefined>): Promise<Stand | undefined | 'down'> {
    return new Promise((resolve, reject) => {
      const timer = afterAwake(this.#options.clock, deadlineMs, () => resolve('down'));
      asking.then(
        (stand) => {
          timer.cancel();
          resolve(stand);
        },
        (error: unknown) => {
          timer.cancel();
          if (isUnconfirmed(error)) resolve('down');
          else reject(error);
        },
      );
    });
  }

  #takeHere(key: string, max: number): Place | undefined {
    const { whenDown, instances } = this.#options;
    const share = Math.max(1, Math.floor(max / instances));
    const passes = whenDown === 'open' || (whenDown === 'local' && this.heldHere(key) < share);
    return passes ? { key, max, stand: undefined, renewAt: 0, busy: false } : undefined;
  }

  /** What the store grants after we went on without it is the place that we took, or is given back. */
  #settleLater(place: Place | undefined, key: string, asking: Promise<Stand | undefined>): void {
    if (place !== undefined) place.busy = true;
    const settle = (stand: Stand | undefined) => {
      if (place !== undefined) place.busy = false;
      if (stand === undefined) return;
      if (place !== undefined && this.#live.has(place)) this.#put(place, stand);
      else this.#delete(key, stand);
    };
    asking.then(settle, () => settle(undefined));
  }

  #hold(place: Place): Held {
    let here = this.#here.get(place.key);
    if (here === undefined) this.#here.set(place.key, (here = { numbers: new Set(), unnumbered: 0 }));
    if (place.stand === undefined) here.unnumbered += 1;
    else here.numbers.add(place.stand.number);
    this.#live.add(place);
    this.#tickLater();
    return { release: () => this.#release(place) };
  }

  #release(place: Place): void {
    if (!this.#live.delete(place)) return;
    const { key, stand } = place;
    const here = this.#here.get(key);
    if (here !== undefined) {
      if (stand === undefined) here.unnumbered -= 1;
      else here.numbers.delete(stand.number);
      if (here.numbers.size + here.unnumbered === 0) this.#here.delete(key);
    }
    if (stand !== undefined) this.#delete(key, stand);
    this.#fullUntil.delete(key);
  }

  /** What cannot be deleted goes with its lease. */
  #delete(key: string, { number, version }: Stand): void {
    this.#options.values.deleteIf(name(key, number), version).catch(() => undefined);
  }

  #tickLater(): void {
    if (this.#timer !== undefined) return;
    const { clock, leaseMs } = this.#options;
    this.#timer = clock.after(leaseMs / 10, () => this.#tick(), { background: true });
  }

  #tick(): void {
    this.#timer = undefined;
    const now = this.#options.clock.monotonic();
    for (const place of this.#live) if (!place.busy && place.renewAt <= now) void this.#renew(place);
    if (this.#live.size > 0) this.#tickLater();
  }

  /** Lengthens the lease of a place; one that the store does not know is asked for, now that it may answer again. */
  async #renew(place: Place): Promise<void> {
    const { key, max, stand } = place;
    place.busy = true;
    try {
      const renewed = stand === undefined ? await this.#find(key, max) : await this.#extend(key, stand);
      if (renewed === undefined) this.#put(place, undefined);
      else if (this.#live.has(place)) this.#put(place, renewed);
      else this.#delete(key, renewed);
    } catch {
      // At the next tick again. If only the answer was lost, the version is another one by then, and the place counts as lost.
    } finally {
      place.busy = false;
    }
  }

  /** `undefined` if this process stood still for longer than a lease: somebody else may hold the place by now. */
  async #extend(key: string, { number, version }: Stand): Promise<Stand | undefined> {
    const { values, clock, leaseMs } = this.#options;
    const since = clock.monotonic();
    const next = await values.cas(name(key, number), version, mark, leaseMs);
    return next === undefined ? undefined : { number, version: next, since };
  }

  /** Notes where a place stands now, while it is held. */
  #put(place: Place, stand: Stand | undefined): void {
    const here = this.#here.get(place.key);
    if (here !== undefined && this.#live.has(place)) {
      if (place.stand === undefined) here.unnumbered -= 1;
      else here.numbers.delete(place.stand.number);
      if (stand === undefined) here.unnumbered += 1;
      else here.numbers.add(stand.number);
    }
    place.stand = stand;
    place.renewAt = stand === undefined ? 0 : this.#renewAt(stand);
  }

  #renewAt({ since }: Stand): number {
    return since + this.#options.leaseMs / 3;
  }
}

function name(key: string, number: number): string {
  return `${key}:${number}`;
}
