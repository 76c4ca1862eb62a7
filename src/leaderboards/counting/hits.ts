/** Collects the hits of one tick, so that they go to the backend together. */

import type { Submission } from '../../backend/rankings.ts';

/** Hits that go together; each member once. */
class Portion {
  readonly weights = new Map<string, number>();
  readonly sent: Promise<void>;
  #settle: (sent: Promise<void>) => void = () => {};

  constructor() {
    this.sent = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  send(submit: (submissions: readonly Submission[]) => Promise<void>): void {
    this.#settle(submit(Array.from(this.weights, ([member, score]) => ({ member, score }))));
  }
}

export class Hits {
  readonly #most: number;
  readonly #submit: (submissions: readonly Submission[]) => Promise<void>;
  #portions: Portion[] = [];
  /** Where the members of this tick are. */
  #places = new Map<string, Portion>();

  /** @param most how many members `submit` takes at once */
  constructor(most: number, submit: (submissions: readonly Submission[]) => Promise<void>) {
    this.#most = most;
    this.#submit = submit;
  }

  /** Adds a hit to those of this tick; resolves or rejects with what became of them. */
  add(member: string, weight: number): Promise<void> {
    const portion = this.#places.get(member) ?? this.#portionWithRoom();
    this.#places.set(member, portion);
    portion.weights.set(member, (portion.weights.get(member) ?? 0) + weight);
    return portion.sent;
  }

  #portionWithRoom(): Portion {
    const last = this.#portions.at(-1);
    if (last !== undefined && last.weights.size < this.#most) return last;
    // Runs after the promises of this tick: callers that one answer woke travel together.
    if (last === undefined) process.nextTick(() => this.#send());
    const portion = new Portion();
    this.#portions.push(portion);
    return portion;
  }

  #send(): void {
    const portions = this.#portions;
    this.#portions = [];
    this.#places = new Map();
    for (const portion of portions) portion.send(this.#submit);
  }
}
