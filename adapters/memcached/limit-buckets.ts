/** Keeps the token buckets of limits on Memcached: read, decided here, and stored only over the state that was read. */

import { tokenBucket } from '../../src/backend/limits/token-bucket.ts';
import { lifetimeMs } from '../../src/backend/limits/arithmetic.ts';
import type { Usage } from '../../src/backend/limits/usage.ts';
import type { TokenBucketPlan } from '../../src/backend/limits.ts';
import type { Stored, Values } from '../../src/backend/values.ts';
import type { Clock } from '../../src/support/clock.ts';
import { HotshelfError } from '../../src/support/errors.ts';
import type { Kept, LimitKeeper } from './limit-keeper.ts';

/** What to make of a usage; `undefined` leaves it as it is. May be asked again if somebody else was faster. */
type Change = (usage: Usage, now: number) => Usage | undefined;

interface Wish {
  readonly plan: TokenBucketPlan;
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A store that changes between each read and write, a hundred times over. */
const roundsMost = 100;

/** All wishes of this process for one key are carried out together, so that only processes are in each other's way. */
export class LimitBuckets implements LimitKeeper<TokenBucketPlan> {
  readonly #values: Values;
  readonly #clock: Clock;
  /** What waits for the round that is under way. */
  readonly #waiting = new Map<string, Wish[]>();

  constructor(values: Values, clock: Clock) {
    this.#values = values;
    this.#clock = clock;
  }

  take(key: string, plan: TokenBucketPlan, cost: number): Promise<Kept> {
    return this.#decide(key, plan, cost, (fits) => (fits ? cost : 0));
  }

  look(key: string, plan: TokenBucketPlan, cost: number): Promise<Kept> {
    return this.#decide(key, plan, cost, () => 0);
  }

  charge(key: string, plan: TokenBucketPlan, cost: number): Promise<Kept> {
    return this.#decide(key, plan, cost, (_fits, free) => Math.max(0, Math.min(cost, free)));
  }

  give(key: string, plan: TokenBucketPlan, cost: number): Promise<void> {
    return this.#change(key, plan, (stored, now) => {
      const usage = tokenBucket.advance(plan, stored, now);
      return usage.length === 0 ? undefined : tokenBucket.give(plan, usage, cost);
    });
  }

  async reset(key: string): Promise<void> {
    await this.#values.delete([key]);
  }

  async #decide(
    key: string,
    plan: TokenBucketPlan,
    cost: number,
    part: (fits: boolean, free: number) => number,
  ): Promise<Kept> {
    let kept = { fits: false, usage: [] as Usage, now: 0 };
    let charged = 0;
    await this.#change(key, plan, (stored, now) => {
      const usage = tokenBucket.advance(plan, stored, now);
      const free = tokenBucket.free(plan, usage);
      charged = part(cost <= free, free);
      const next = charged === 0 ? usage : tokenBucket.add(plan, usage, now, charged);
      kept = { fits: cost <= free, usage: next, now };
      return charged === 0 ? undefined : next;
    });
    return { ...kept, undo: () => this.give(key, plan, charged) };
  }

  #change(key: string, plan: TokenBucketPlan, change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      const wish = { plan, change, resolve, reject };
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) {
        waiting.push(wish);
        return;
      }
      this.#waiting.set(key, [wish]);
      void this.#work(key);
    });
  }

  async #work(key: string): Promise<void> {
    // Whatever is asked in this tick goes along.
    await Promise.resolve();
    for (let wishes = this.#waiting.get(key) ?? []; wishes.length > 0; wishes = this.#waiting.get(key) ?? []) {
      this.#waiting.set(key, []);
      try {
        await this.#carryOut(key, wishes);
        for (const { resolve } of wishes) resolve();
      } catch (error) {
        for (const { reject } of wishes) reject(error);
      }
    }
    this.#waiting.delete(key);
  }

  async #carryOut(key: string, wishes: readonly Wish[]): Promise<void> {
    for (let round = 0; round < roundsMost; round += 1) {
      const stored = await this.#values.get(key);
      const now = Math.floor(this.#clock.now());
      let next: Usage | undefined;
      let keepMs = 0;
      for (const { plan, change } of wishes) {
        const changed = change(next ?? read(stored, plan), now);
        next = changed ?? next;
        if (changed !== undefined) keepMs = lifetimeMs(plan, changed, now);
      }
      if (next === undefined || (await this.#store(key, stored, wishes, next, keepMs))) return;
    }
    throw new HotshelfError(
      'BACKEND_REFUSED',
      'A token bucket was changed by others each time before it could be stored; nothing was charged.',
    );
  }

  /** Returns false if somebody else was faster. */
  async #store(
    key: string,
    stored: Stored | undefined,
    [wish]: readonly Wish[],
    usage: Usage,
    keepMs: number,
  ): Promise<boolean> {
    if (usage.length === 0) return stored === undefined || this.#values.deleteIf(key, stored.version);
    const bytes = Buffer.from(`${wish?.plan.windowMs ?? 0}:${usage.join(',')}`, 'latin1');
    const version =
      stored === undefined
        ? await this.#values.add(key, bytes, keepMs)
        : await this.#values.cas(key, stored.version, bytes, keepMs);
    return version !== undefined;
  }
}

/** What another window left counts for nothing, as what somebody else wrote. */
function read(stored: Stored | undefined, { windowMs }: TokenBucketPlan): Usage {
  if (stored === undefined) return [];
  const text = Buffer.from(stored.bytes.buffer, stored.bytes.byteOffset, stored.bytes.length).toString('latin1');
  const match = /^(\d{1,12}):(\d{1,16}),(\d{1,24})$/.exec(text);
  return match !== null && Number(match[1]) === windowMs ? [Number(match[2]), Number(match[3])] : [];
}
