/** Joins all questions about limits of one tick into one script call for each server or slot. */

import type { HotshelfError } from '../../src/support/errors.ts';
import type { Reply } from './client.ts';
import { brokenReply, isMoving, replyCode, wrongKind } from './errors.ts';
import { limitsScript } from './limits-script.ts';
import { AnswerReader, writeQuestions, type Answer, type Question } from './limits-text.ts';
import type { Nodes } from './nodes.ts';
import { slotOf } from './slot.ts';

/** A question and who waits for its answer. */
export interface Asked {
  readonly question: Question;
  /** @param now the server's time, in epoch ms */
  answer(answer: Answer, now: number): void;
  fail(error: HotshelfError): void;
}

/** More questions than this go in several calls: a server does nothing else while it answers one. */
const questionsPerCall = 128;

export class LimitsBatch {
  readonly #nodes: Nodes;
  #asked: Asked[] = [];
  readonly #flush = () => this.#send();
  readonly #reader = new AnswerReader();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  ask(asked: Asked): void {
    // Runs after the promises of this tick, as for reads.
    if (this.#asked.length === 0) process.nextTick(this.#flush);
    this.#asked.push(asked);
  }

  #send(): void {
    const all = this.#asked;
    this.#asked = [];
    if (this.#nodes.only !== undefined) this.#sendAll(all);
    else for (const some of bySlot(all).values()) this.#sendAll(some);
  }

  #sendAll(all: readonly Asked[]): void {
    for (let from = 0; from < all.length; from += questionsPerCall) {
      void this.#call(all.length <= questionsPerCall ? all : all.slice(from, from + questionsPerCall));
    }
  }

  async #call(some: readonly Asked[]): Promise<void> {
    const key = some[0]?.question.names.first ?? '';
    try {
      const reply = await this.#run(key, some);
      const read = this.#reader.read(reply, some.length);
      let place = 0;
      for (const asked of some) {
        const answer = read?.answers[place];
        place += 1;
        if (read === undefined) asked.fail(brokenReply());
        else if (answer === undefined) asked.fail(wrongKind());
        else asked.answer(answer, read.now);
      }
    } catch (error) {
      const reason = error as HotshelfError;
      // A slot that is moving may have some of the keys here and some there: nothing was applied.
      if (some.length > 1 && isMoving(reason)) for (const asked of some) void this.#call([asked]);
      else for (const asked of some) asked.fail(reason);
    }
  }

  async #run(key: string, some: readonly Asked[]): Promise<Reply> {
    const questions = some.map(({ question }) => question);
    try {
      return await this.#nodes.run(key, 'evalsha', writeQuestions(limitsScript.sha, questions));
    } catch (error) {
      // The server does not know the script, so it ran nothing: the one error after which a take may be sent again.
      if (replyCode(error) !== 'NOSCRIPT') throw error;
      return await this.#nodes.run(key, 'eval', writeQuestions(limitsScript.source, questions));
    }
  }
}

/** The keys of one question lie in one slot. */
function bySlot(all: readonly Asked[]): Map<number, Asked[]> {
  const slots = new Map<number, Asked[]>();
  for (const asked of all) {
    const slot = slotOf(asked.question.names.first);
    const some = slots.get(slot);
    if (some === undefined) slots.set(slot, [asked]);
    else some.push(asked);
  }
  return slots;
}
