/** Says what is told of an answer that is being captured, and what can be done with it. */

import type { Answered } from './answered.ts';
import type { Real } from './former.ts';

/**
 * What becomes of an answer:
 * - `pass`: it goes on as if nobody listened, and nothing is kept;
 * - `copy`: it goes to the client at once, and is kept;
 * - `hold`: nothing goes to the client, all is kept, and the caller answers;
 * - `drop`: nothing goes on and nothing is kept; the caller answers.
 *
 * Where the caller is to answer, the handler finds a response that takes everything at once; it emits `finish` and `close` when
 * the caller's answer does. A ghost ends by itself when the handler has ended.
 */
export type Course = 'pass' | 'copy' | 'hold' | 'drop';

/** Hears an answer. A function that throws never harms it: the answer passes. */
export interface Ear {
  /**
   * Called once, when the status and the fields are decided and nothing has gone to the client: fields can be set.
   * `body` is the whole body if the handler gave it in one piece, or the answer can have none (HEAD, 204, 304).
   */
  head(answered: Answered, body: Buffer | undefined): Course;
  /** Courses `copy` and `hold`: the answer is complete and whole. */
  end(body: Buffer): void;
  /**
   * No whole answer will come: the client has gone or the response was destroyed before the end, the body is larger than
   * `maxBodyBytes`, or not as long as its `Content-Length` says. Called at most once, and never after `end`.
   *
   * In the course `hold` an answer that is too large or of a wrong length passes, with what was kept, after this call.
   */
  lost(why: LossReason): void;
  /**
   * Other middleware from before the capture has set a `Set-Cookie` while the head is being sent; fields can still be set.
   * With middleware that sends later than it is told to, this may come after `end`.
   */
  cookie?(): void;
}

export type LossReason = 'aborted' | 'too large' | 'length';

export interface CaptureOptions {
  /** The largest body that is kept, in bytes. */
  readonly maxBodyBytes: number;
  /**
   * What is held goes on later, by `goOn()`: of a wrong length or not. A handler that writes much meanwhile is told to wait, and
   * `end` gets no body.
   * @default false
   */
  readonly later?: boolean;
  /** Runs everything that was there before the capture, such as other middleware's `writeHead`. @default calls it */
  readonly around?: <Result>(run: () => Result) => Result;
}

export interface Capture {
  /**
   * Gives the response the fields, status and status text of the capture's beginning, before somebody else answers; nothing
   * happens once a head was sent.
   */
  reset(): void;
  /** Course `hold`, with `later`: the answer goes to the client as the handler gave it; what it still writes follows at once. */
  goOn(): void;
  /** Course `hold`, after `end`: the answer is thrown away, and the response is as it was when the capture began. */
  discard(): void;
  /** The response's functions as they were before: for answering in the handler's place. */
  readonly real: Real;
  /** Whether other middleware set a `Set-Cookie` while the head was sent. */
  readonly cookieAdded: boolean;
  /**
   * Ends the capture: the response has its former functions again; where somebody has put others over ours, ours stay and
   * pass everything on. What a handler still writes of an answer that was held or dropped goes nowhere even then.
   */
  release(): void;
}
