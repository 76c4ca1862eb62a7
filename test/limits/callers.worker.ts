/** A process with several clients that take from one limit at given times, and note when each take was allowed. */

import { serve } from '../kit/serve.ts';
import { sleep } from '../kit/wait.ts';
import { openTaker, type Opening, type Taker } from './takers.ts';

/** A take that was allowed: it happened between these, in epoch ms. The server has the same clock. */
export interface Admission {
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface Round {
  readonly admitted: readonly Admission[];
  readonly takes: number;
  /** When the first was asked for and the last was answered, in epoch ms. */
  readonly from: number;
  readonly to: number;
}

let takers: readonly Taker[] = [];

async function startAt(at: number): Promise<void> {
  await sleep(Math.max(0, at - Date.now() - 5));
  // A timer is late by up to a few ms.
  while (Date.now() < at);
}

class Notes {
  readonly #admitted: Admission[] = [];
  readonly #from = Date.now();
  #takes = 0;

  async take(taker: Taker | undefined, key: string): Promise<boolean> {
    const askedAt = Date.now();
    const allowed = (await taker?.take(key)) === true;
    this.#takes += 1;
    if (allowed) this.#admitted.push({ askedAt, answeredAt: Date.now() });
    return allowed;
  }

  get round(): Round {
    return { admitted: this.#admitted, takes: this.#takes, from: this.#from, to: Date.now() };
  }
}

const handlers = serve({
  async open({ clients, ...opening }: Opening & { readonly clients: number }) {
    takers = await Promise.all(Array.from({ length: clients }, () => openTaker(opening)));
  },

  /** Takes `count` times at once. */
  async burst({ key, at, count }: { key: string; at: number; count: number }): Promise<Round> {
    await startAt(at);
    const notes = new Notes();
    await Promise.all(Array.from({ length: count }, (_, index) => notes.take(takers[index % takers.length], key)));
    return notes.round;
  },

  /** Takes again and again, with every client. */
  async flood({ key, at, until }: { key: string; at: number; until: number }): Promise<Round> {
    await startAt(at);
    const notes = new Notes();
    const loop = async (taker: Taker) => {
      while (Date.now() < until) if (!(await notes.take(taker, key))) await sleep(2);
    };
    await Promise.all(takers.map(loop));
    return notes.round;
  },
});

export type CallerHandlers = typeof handlers;
