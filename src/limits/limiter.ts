/** Limits how often somebody may do something, over all processes, and decides also while the store is down. */

import { checkCost } from '../backend/limits/check.ts';
import type { Taken } from '../backend/limits.ts';
import { durationMs, type Duration } from '../support/duration.ts';
import { checkOptionNames } from '../support/options.ts';
import type { HotshelfError } from '../support/errors.ts';
import { BoundedMap } from '../support/bounded-map.ts';
import { LimitExceededError } from './exceeded.ts';
import { Insurance } from './insurance.ts';
import { gateOf, idOf, keysOf } from './key.ts';
import { readOptions, type LimiterOptions, type LimiterRules } from './options.ts';
import { checkSpan, readPlans, type PlanSet } from './plans.ts';
import { Store, type LimiterEvent, type Matter } from './store.ts';
import type { Limiter, LimitKey, LimitPlan, TakeOptions, Verdict, WaitOptions, WrapRule } from './verdict.ts';
import { blindVerdict, verdictOf } from './verdicts.ts';
import { Waiting } from './waiting.ts';

/** A limiter, and what goes on in it. */
export interface WatchedLimiter extends Limiter {
  /** Calls `listener` when the store stops to decide and when it decides again; the returned function ends that. */
  watch(listener: (event: LimiterEvent) => void): () => void;
  /** Ends the timers of the limiter; from then on it decides as if the store did not answer. The backend stays open. */
  close(): void;
}

/** What callers are told to wait where nobody knows when the store is back. */
const blindWaitMs = 1000;

/**
 * Returns a limiter.
 *
 * A refusal is a verdict, never an error. While the store does not answer within `deadline`, `degrade` says who decides, and
 * the verdict says so; the count in this process begins with what this process was granted before, and what it lets through
 * is charged to the store when that is back.
 *
 * @throws {HotshelfError} `OPTION_INVALID` or `FACET_MISSING`
 * @example
 * const api = limiter({ backend, name: 'api', plans: [{ name: 'minute', limit: 100, window: '1m' }] });
 * const { allowed, retryAfterMs } = await api.take(['user', user.id]);
 */
export function limiter(options: LimiterOptions): WatchedLimiter {
  return new StoreLimiter(readOptions(options));
}

const takeNames: readonly (keyof TakeOptions)[] = ['cost', 'plans'];
const knownQuestions = 1000;
const longestKnownKey = 128;

/** A question in the words of the store. */
interface Question {
  readonly id: string;
  readonly set: PlanSet;
  readonly keys: readonly string[];
  readonly gate: string;
  readonly cost: number;
  /** The take of it, once it was made. */
  taking: Matter<Taken, Verdict> | undefined;
}

class StoreLimiter implements WatchedLimiter {
  readonly name: string;
  readonly #rules: LimiterRules;
  readonly #store: Store;
  readonly #insurance: Insurance | undefined;
  readonly #waiting: Waiting;
  readonly #sets = new WeakMap<readonly LimitPlan[], PlanSet>();
  /** What was asked of late, by its key alone. */
  readonly #questions = new BoundedMap<string, Question>(knownQuestions);

  constructor(rules: LimiterRules) {
    this.name = rules.name;
    this.#rules = rules;
    this.#store = new Store(rules.backend, rules.limits, rules.clock, rules.deadlineMs);
    this.#waiting = new Waiting(rules.clock);
    if (rules.degrade === 'local') this.#insurance = new Insurance(rules.clock, rules.instances);
  }

  take(key: LimitKey, options?: TakeOptions): Promise<Verdict> {
    try {
      const question = this.#read(key, options);
      const { keys, set, cost } = question;
      // Who is refused again and again costs no more than this.
      const refused = this.#rules.limits.refused?.(keys, set.plans, cost);
      return refused === undefined
        ? this.#store.ask(this.#takeOf(question))
        : Promise.resolve(verdictOf(set, refused, false));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What is asked again is said in the same words. */
  #takeOf(question: Question): Matter<Taken, Verdict> {
    const { keys, set, cost, gate } = question;
    question.taking ??= {
      send: () => this.#rules.limits.take(keys, set.plans, cost, gate),
      heard: (answer) => this.#taken(question, answer),
      otherwise: (error) => this.#degraded(question, error),
    };
    return question.taking;
  }

  #taken(question: Question, answer: Taken): Verdict {
    const verdict = this.#told(question, answer);
    if (!answer.allowed) return verdict;
    const { keys, set, cost } = question;
    const refusal = this.#refusedByOwnCount(question);
    if (refusal === undefined) this.#insurance?.record(keys, set.plans, cost);
    else this.#rules.limits.give(keys, set.plans, cost).catch(() => {});
    return refusal ?? verdict;
  }

  async check(key: LimitKey, options?: TakeOptions): Promise<Verdict> {
    const question = this.#read(key, options);
    const { keys, set, cost, gate } = question;
    return this.#store.ask({
      send: () => this.#rules.limits.look(keys, set.plans, cost, gate),
      heard: (answer) => this.#told(question, answer),
      otherwise: () => this.#decide(question, false),
    });
  }

  async refund(key: LimitKey, options?: TakeOptions): Promise<void> {
    const { keys, set, cost } = this.#read(key, options);
    this.#insurance?.give(keys, set.plans, cost);
    // What cannot be given back now goes with its window.
    const send = () => this.#rules.limits.give(keys, set.plans, cost);
    await this.#store.ask({ send, heard: ignore, otherwise: ignore });
  }

  async penalize(key: LimitKey, options?: TakeOptions): Promise<Verdict> {
    const question = this.#read(key, options);
    const { keys, set, cost } = question;
    this.#insurance?.record(keys, set.plans, cost);
    return this.#store.ask({
      send: () => this.#rules.limits.charge(keys, set.plans, cost),
      heard: (answer) => this.#told(question, answer),
      otherwise: (error) => {
        if (error.code !== 'OUTCOME_UNKNOWN') this.#insurance?.owe(keys, set.plans, cost);
        return { ...this.#decide({ ...question, cost: 0 }, false), allowed: true };
      },
    });
  }

  async block(key: LimitKey, duration: Duration): Promise<void> {
    const gate = gateOf(this.name, idOf(key));
    const ms = Math.ceil(durationMs(duration, 'duration'));
    checkSpan(ms, 'duration', duration);
    this.#insurance?.shut(gate, ms);
    await this.#store.ask({ send: () => this.#rules.limits.shut(gate, ms), heard: ignore, otherwise: raise });
  }

  async reset(key: LimitKey, options?: Pick<TakeOptions, 'plans'>): Promise<void> {
    const { keys, set, gate } = this.#read(key, options);
    this.#insurance?.reset(keys, gate);
    const { limits } = this.#rules;
    const send = () => Promise.all([limits.reset(keys, set.plans), limits.shut(gate, 0)]);
    await this.#store.ask({ send, heard: ignore, otherwise: raise });
  }

  async wait(key: LimitKey, { within, signal, ...options }: WaitOptions = {}): Promise<Verdict> {
    const withinMs = within === undefined ? Infinity : durationMs(within, 'within', { orZero: true });
    const { id } = this.#read(key, options);
    return this.#waiting.run({
      id,
      withinMs,
      signal,
      take: () => this.take(key, options),
      check: () => this.check(key, options),
    });
  }

  wrap<Self, Args extends readonly unknown[], Result>(
    fn: (this: Self, ...args: Args) => Promise<Result>,
    { key, cost = 1, within }: WrapRule<Args>,
  ): (this: Self, ...args: Args) => Promise<Result> {
    const admit = async (args: Args): Promise<void> => {
      const whose = typeof key === 'function' ? key(...args) : key;
      const options = { cost: typeof cost === 'function' ? cost(...args) : cost };
      const verdict = await (within === undefined
        ? this.take(whose, options)
        : this.wait(whose, { ...options, within }));
      if (!verdict.allowed) throw new LimitExceededError(this.name, verdict);
    };
    return async function limited(this: Self, ...args: Args): Promise<Result> {
      await admit(args);
      return fn.call(this, ...args);
    };
  }

  watch(listener: (event: LimiterEvent) => void): () => void {
    return this.#store.events.on(listener);
  }

  close(): void {
    this.#store.close();
  }

  #read(key: LimitKey, options?: TakeOptions): Question {
    if (typeof key !== 'string' || options !== undefined) return this.#readAnew(key, options);
    const known = this.#questions.get(key);
    if (known !== undefined) return known;
    const question = this.#readAnew(key, undefined);
    if (key.length <= longestKnownKey) this.#questions.set(key, question);
    return question;
  }

  #readAnew(key: LimitKey, options: TakeOptions | undefined): Question {
    checkOptionNames(options, takeNames, 'take()');
    const { cost = 1, plans } = options ?? {};
    checkCost(cost);
    const set = plans === undefined ? this.#rules.set : this.#setOf(plans);
    const id = idOf(key);
    return { id, set, cost, keys: keysOf(this.name, id, set), gate: gateOf(this.name, id), taking: undefined };
  }

  /** The plans of a call are mostly one of a few lists. */
  #setOf(plans: readonly LimitPlan[]): PlanSet {
    const known = this.#sets.get(plans);
    if (known !== undefined) return known;
    const set = readPlans(plans);
    this.#sets.set(plans, set);
    return set;
  }

  /** The store has answered: what it does not know yet it is told now. */
  #told({ set }: Question, answer: Taken): Verdict {
    for (const { keys, plans, cost } of this.#insurance?.settle() ?? []) {
      if (cost > 0) this.#rules.limits.charge(keys, plans, cost).catch(() => {});
    }
    return verdictOf(set, answer, false);
  }

  /**
   * A store that was gone may be back without its counts: until its windows have passed, nobody gets more than the limit from
   * one process, before, during and after the outage together.
   */
  #refusedByOwnCount({ set, keys, cost }: Question): Verdict | undefined {
    const { lastOutageAt } = this.#store;
    if (lastOutageAt === undefined || this.#insurance === undefined) return undefined;
    const longestMs = Math.max(...set.plans.map(({ windowMs }) => windowMs));
    // A sliding window reaches back by a tenth more.
    if (this.#rules.clock.now() > lastOutageAt + 1.1 * longestMs) return undefined;
    const own = this.#insurance.look(keys, set.plans, cost);
    return own.allowed ? undefined : verdictOf(set, own, 'local');
  }

  #degraded(question: Question, error: HotshelfError): Verdict {
    const verdict = this.#decide(question, true);
    // What was sent may have been charged: it is not charged again.
    if (verdict.allowed && error.code !== 'OUTCOME_UNKNOWN')
      this.#insurance?.owe(question.keys, question.set.plans, question.cost);
    return verdict;
  }

  #decide({ set, keys, gate, cost }: Question, charges: boolean): Verdict {
    const { degrade } = this.#rules;
    const insurance = this.#insurance;
    if (insurance === undefined) return blindVerdict(set, degrade === 'open' ? 'open' : 'closed', blindWaitMs);
    return verdictOf(set, insurance.take(keys, set.plans, cost, gate, charges), 'local');
  }
}

function ignore(): void {}

function raise(error: HotshelfError): never {
  throw error;
}
