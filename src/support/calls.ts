/** Keeps the commands that are on their way in the order of their sending. */

import type { HotshelfError } from './errors.ts';

/** One command on its way, as the guard sees it. */
export abstract class Call {
  /** Kept by the guard: calls form a ring in the order of their sending, which is cheaper than a set of them. */
  sentAt = 0;
  next: Call | undefined = undefined;
  previous: Call | undefined = undefined;

  /** Called at most once, instead of an answer. */
  abstract fail(error: HotshelfError): void;
}

/** A call that somebody waits for with a promise. */
export class PromisedCall extends Call {
  readonly fail: (error: HotshelfError) => void;

  constructor(reject: (error: HotshelfError) => void) {
    super();
    this.fail = reject;
  }
}

/** Calls in the order of their sending. */
export class CallRing {
  readonly #head: Call = new PromisedCall(() => {});

  constructor() {
    this.#head.next = this.#head;
    this.#head.previous = this.#head;
  }

  get first(): Call | undefined {
    return this.#head.next === this.#head ? undefined : this.#head.next;
  }

  add(call: Call): void {
    const head = this.#head;
    const last = head.previous ?? head;
    call.previous = last;
    call.next = head;
    last.next = call;
    head.previous = call;
  }

  /** Returns `false` if the call is in no ring. */
  remove(call: Call): boolean {
    const { next, previous } = call;
    if (next === undefined || previous === undefined) return false;
    previous.next = next;
    next.previous = previous;
    call.next = undefined;
    call.previous = undefined;
    return true;
  }

  *[Symbol.iterator](): Generator<Call> {
    for (let call = this.first; call !== undefined; call = call.next === this.#head ? undefined : call.next) yield call;
  }
}
