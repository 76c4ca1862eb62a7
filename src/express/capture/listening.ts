/** Stands between a handler and its response: which call goes on, which is kept, which goes nowhere? */

import { type Answered, answeredBy, fieldsOf, type HeadCall, overlaid, readHead } from './answered.ts';
import { type BodyCall, bytesOf, KeptBody, nothing, readBodyCall } from './body.ts';
import type { Capture, CaptureOptions, Course, Ear, LossReason } from './ear.ts';
import { Former, type Real } from './former.ts';
import { isGhost } from './ghost.ts';
import { Overlay } from './overlay.ts';
import { QuietEar } from './quiet-ear.ts';
import type { IncomingLike, ResponseLike } from '../request.ts';
import { sink } from './sink.ts';

/** `open`: no head yet; `headed`: `writeHead` was called, and what follows shows whether the body comes in one piece. */
type Stage = 'open' | 'headed' | Course;

type Arguments = readonly unknown[];

/** Above this, a handler whose answer goes on later is told to wait. */
const muchBytes = 65_536;

/** The response that takes, in the real one's place, what goes nowhere. It refuses what Node refuses, with Node's errors. */
interface Taker {
  writeHead(...args: unknown[]): unknown;
  write(...args: unknown[]): unknown;
  end(...args: unknown[]): unknown;
}

export class Listening implements Capture {
  readonly #req: IncomingLike;
  readonly #res: ResponseLike;
  readonly #ear: QuietEar;
  readonly #overlay: Overlay;
  readonly #former: Former;
  readonly #kept: KeptBody;
  readonly #maxBodyBytes: number;
  readonly #later: boolean;
  /** A write was told to wait. */
  #owesDrain = false;
  #stage: Stage = 'open';
  #probing = false;
  #answered: Answered | undefined;
  /** An answer to HEAD, and one with status 204 or 304, ends with its head (RFC 9112 section 6.3). */
  #bodyless = false;
  /** The handler has called `end`. */
  #ended = false;
  #taker: Taker | undefined;

  constructor(req: IncomingLike, res: ResponseLike, ear: Ear, options: CaptureOptions) {
    this.#req = req;
    this.#res = res;
    this.#ear = new QuietEar(ear);
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#later = options.later === true;
    this.#kept = new KeptBody(options.maxBodyBytes);
    this.#former = new Former(res, {
      around: options.around ?? ((run) => run()),
      onCookie: () => this.#ear.cookie(),
    });
    this.#overlay = new Overlay(res);
    this.#overlay.put('writeHead', (...args) => this.#writeHead(args));
    this.#overlay.put('write', (...args) => this.#write(args));
    this.#overlay.put('end', (...args) => this.#end(args));
    this.#overlay.put('flushHeaders', (...args) => this.#flushHeaders(args));
    this.#overlay.put('destroy', (...args) => this.#destroy(args));
    res.on('close', this.#closed);
  }

  get real(): Real {
    return this.#former.real;
  }

  get cookieAdded(): boolean {
    return this.#ear.cookieAdded;
  }

  reset(): void {
    this.#former.reset();
  }

  goOn(): void {
    const [former, answered] = [this.#former, this.#answered];
    if (this.#stage !== 'hold' || former.answered || answered === undefined) return;
    const kept = this.#kept.take();
    this.#ear.settled = true;
    former.pretendSent(false);
    this.#stop();
    if (this.#ended) {
      former.say(answered);
      former.call('end', this.#bodyless ? [] : [kept]);
      return;
    }
    former.call('flushHeaders', []);
    const isTaken = kept.length === 0 || former.call('write', [kept]) === true;
    if (this.#owesDrain && isTaken) this.#res.emit('drain');
  }

  discard(): void {
    if (this.#stage !== 'hold' || !this.#ended || this.#former.answered) return;
    this.#ear.settled = true;
    this.#kept.take();
    this.reset();
    this.#former.owed = undefined;
    this.#former.pretendSent(false);
    this.#stop();
  }

  release(): void {
    this.#ear.settled = true;
    this.#kept.take();
    if (this.#swallows && !this.#ended) {
      this.#stage = 'drop';
      return;
    }
    this.#former.pretendSent(false);
    this.#stop();
    this.#former.payExplicit();
  }

  #writeHead(args: Arguments): unknown {
    if (this.#former.inside > 0) return this.#former.head(args);
    // A second head is refused.
    if (this.#swallows || this.#stage === 'headed') return this.#opened(this.#res.statusCode).writeHead(...args);
    const call = this.#stage === 'open' && this.#isUntouched() ? readHead(args) : undefined;
    if (call === undefined) return this.#former.head(args);
    this.#hearHead(args, call);
    if (this.#probing) return this.#res;
    this.#res.statusCode = call.status;
    if (call.statusText !== undefined) this.#res.statusMessage = call.statusText;
    this.#stage = 'headed';
    this.#former.pretendSent(true);
    if (this.#bodyless) this.#decide(nothing);
    return this.#res;
  }

  #write(args: Arguments): unknown {
    if (this.#former.inside > 0) return this.#former.call('write', args);
    const call = readBodyCall('write', args);
    if (call !== undefined && this.#awaitsBody()) this.#decide(undefined);
    if (this.#swallows) return this.#swallowWrite(args, call);
    const goesOn = this.#attempt(() => this.#former.call('write', args));
    if (this.#stage !== 'copy' || this.#ended || call === undefined) return goesOn;
    if (!this.#bodyless && !this.#kept.add(bytesOf(call))) {
      this.#lose('too large');
      return goesOn;
    }
    // A slow client holds up neither the handler nor those who wait for the copy: the bytes are kept anyhow.
    if (goesOn === false)
      Object.defineProperty(this.#res, 'writableNeedDrain', { configurable: true, get: () => false });
    return true;
  }

  #end(args: Arguments): unknown {
    if (this.#former.inside > 0) return this.#former.call('end', args);
    const call = readBodyCall('end', args);
    const bytes = call !== undefined && this.#stage !== 'pass' ? bytesOf(call) : nothing;
    if (call !== undefined && this.#awaitsBody()) this.#decide(bytes);
    if (this.#swallows) return this.#swallowEnd(args, call, bytes);
    const result = this.#attempt(() => this.#former.call('end', args));
    if (this.#stage !== 'copy' || this.#ended || call === undefined) return result;
    this.#ended = true;
    if (!this.#bodyless && !this.#kept.add(bytes)) this.#lose('too large');
    else if (!this.#isWhole(this.#kept.bytes)) this.#lose('length');
    else this.#complete();
    return result;
  }

  #flushHeaders(args: Arguments): unknown {
    if (this.#former.inside > 0) return this.#former.call('flushHeaders', args);
    if (this.#awaitsBody()) this.#decide(undefined);
    return this.#swallows ? undefined : this.#attempt(() => this.#former.call('flushHeaders', args));
  }

  #destroy(args: Arguments): unknown {
    if (this.#former.inside === 0 && !this.#ended) {
      if (this.#stage === 'hold') this.#letGo('aborted');
      // What the caller answers instead is none of the handler's business.
      if (this.#stage === 'drop' && !isGhost(this.#res)) return this.#res;
    }
    return this.#former.call('destroy', args);
  }

  readonly #closed = (): void => {
    // After the caller has begun to answer this is the end of its answer.
    if (this.#ended || this.#ear.settled || this.#former.answered) return;
    this.#former.pretendSent(false);
    this.#lose('aborted');
  };

  get #swallows(): boolean {
    return this.#stage === 'hold' || this.#stage === 'drop';
  }

  /** Whether the next call of `write` or `end` shows what the answer is. */
  #awaitsBody(): boolean {
    return (this.#stage === 'open' || this.#stage === 'headed') && this.#isUntouched();
  }

  /** Finds out whether somebody has sent a head past us, or the client has gone. */
  #isUntouched(): boolean {
    if (!this.#former.sent && !this.#res.closed) return true;
    this.#lose('aborted');
    return false;
  }

  #hearHead(args: Arguments, call: HeadCall): void {
    const now = fieldsOf(this.#res);
    // An empty `statusMessage` is none: Node puts the usual one in its place.
    const statusText = call.statusText ?? (this.#res.statusMessage || undefined);
    this.#answered = answeredBy(call, statusText, overlaid(now, call.lines), this.#former.before);
    this.#former.owed = { args, call, explicit: !this.#probing, bare: now.size === 0 };
    this.#bodyless = this.#req.method === 'HEAD' || call.status === 204 || call.status === 304 || call.status < 200;
  }

  /** Asks the middleware that was put over ours for the head, as Node does when a body comes without one. */
  #probe(): void {
    const status = this.#res.statusCode;
    this.#probing = true;
    try {
      if (!this.#overlay.isTop('writeHead')) this.#res.writeHead(status);
      const call = this.#answered === undefined ? readHead([status]) : undefined;
      if (call !== undefined) this.#hearHead([status], call);
    } finally {
      this.#probing = false;
    }
  }

  /** Tells the ear the head, and takes the course that it says; `body` is there if it came in one piece. */
  #decide(body: Buffer | undefined): void {
    if (this.#stage === 'open') this.#probe();
    const answered = this.#answered;
    // Node refuses such a status.
    if (answered === undefined) return;
    const former = this.#former;
    former.pretendSent(false);
    // Until the ear has said otherwise: it may use the response.
    this.#stage = 'pass';
    this.#stage = this.#courseOf(answered, this.#bodyless ? nothing : body);
    if (this.#swallows) {
      this.#taker = this.#opened(answered.status);
      former.pretendSent(!former.answered);
    } else if (this.#stage === 'pass') {
      this.#stop();
    }
    if (this.#stage === 'pass' || this.#stage === 'drop') this.#ear.settled = true;
    else if (!this.#bodyless && Number(answered.all['content-length']) > this.#maxBodyBytes) this.#giveUp('too large');
    if (!this.#swallows) this.#attempt(() => former.payExplicit());
  }

  #courseOf(answered: Answered, body: Buffer | undefined): Course {
    const isGood = body !== undefined && body.length <= this.#maxBodyBytes && this.#isWhole(body.length);
    const course = this.#ear.head(answered, isGood ? body : undefined);
    if (!this.#former.answered) return course;
    // The caller did not wait: it has answered in the middle of our question.
    return course === 'copy' || course === 'hold' ? 'hold' : 'drop';
  }

  /** Calls what was there before; an error of it ends the copy, for who knows what the client got. */
  #attempt<Result>(run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      if (this.#stage === 'copy' && !this.#ended) this.#lose('aborted');
      throw error;
    }
  }

  #swallowWrite(args: Arguments, call: BodyCall | undefined): unknown {
    const keeps = this.#stage === 'hold' && !this.#ended && !this.#bodyless && call !== undefined;
    if (keeps && !this.#kept.add(bytesOf(call)) && this.#letGo('too large')) return this.#former.call('write', args);
    const goesOn = this.#taker?.write(...args);
    if (!keeps || !this.#later || this.#kept.bytes < muchBytes) return goesOn;
    this.#owesDrain = true;
    return false;
  }

  #swallowEnd(args: Arguments, call: BodyCall | undefined, bytes: Buffer): unknown {
    if (call === undefined || (this.#ended && call.chunk !== undefined)) {
      this.#taker?.end(...args);
      return this.#res;
    }
    if (this.#ended) return this.#former.finished ? this.#former.call('end', args) : this.#onFinish(call);
    if (this.#stage === 'hold' && !this.#bodyless) {
      const total = this.#kept.bytes + bytes.length;
      const fits = this.#later || this.#isWhole(total);
      const trouble = total > this.#maxBodyBytes ? 'too large' : fits ? undefined : 'length';
      if (trouble !== undefined && this.#letGo(trouble)) return this.#former.call('end', args);
      this.#kept.add(bytes);
    }
    this.#ended = true;
    this.#onFinish(call);
    Object.defineProperty(this.#res, 'writableEnded', { configurable: true, get: () => true });
    this.#taker?.end(call.chunk);
    if (this.#stage === 'hold') this.#complete();
    if (isGhost(this.#res)) this.#endGhost();
    return this.#res;
  }

  #onFinish({ callback }: BodyCall): ResponseLike {
    if (callback !== undefined) this.#res.once('finish', callback);
    return this.#res;
  }

  #opened(status: number): Taker {
    const taker = sink(this.#req);
    taker.writeHead(status);
    taker.on('error', (error) => this.#res.emit('error', error));
    return taker;
  }

  #isWhole(length: number): boolean {
    const declared = this.#bodyless ? undefined : this.#answered?.all['content-length'];
    return declared === undefined || (length === Number(declared) && String(declared).trim() !== '');
  }

  #complete(): void {
    if (this.#ear.settled) return;
    const body = this.#later ? nothing : this.#kept.take();
    const held = this.#stage === 'hold';
    if (!held) this.#stop();
    if (!this.#ear.end(body) && held) this.#answerAfterAll(this.#later ? this.#kept.take() : body);
  }

  /** The ear failed before it could answer: the handler's answer goes out, or what was begun is broken off. */
  #answerAfterAll(body: Buffer): void {
    const answered = this.#answered;
    if (this.#former.answered || answered === undefined) {
      if (!this.#former.finished) this.#former.call('destroy', []);
      return;
    }
    this.#former.pretendSent(false);
    this.#stop();
    this.#former.say(answered);
    this.#former.call('end', [body]);
  }

  /** Nobody waits for an answer: the response ends with the handler's. */
  #endGhost(): void {
    if (this.#former.answered || this.#former.finished) return;
    this.reset();
    this.#former.owed = undefined;
    if (this.#answered !== undefined) this.#res.statusCode = this.#answered.status;
    this.#former.pretendSent(false);
    this.#former.call('end', []);
  }

  #giveUp(why: LossReason): void {
    if (this.#stage === 'hold') this.#letGo(why);
    else this.#lose(why);
  }

  /**
   * Gives up an answer that was held: it goes on to the client, unless the ear, on hearing of it, answers itself.
   * Returns whether it goes on.
   */
  #letGo(why: LossReason): boolean {
    this.#former.pretendSent(false);
    this.#ear.lost(why);
    const kept = this.#kept.take();
    if (this.#former.answered) {
      this.#stage = 'drop';
      return false;
    }
    this.#stop();
    if (kept.length > 0 && why !== 'aborted') this.#former.call('write', [kept]);
    return true;
  }

  #lose(why: LossReason): void {
    this.#kept.take();
    this.#stop();
    this.#ear.lost(why);
  }

  /** From now on everything goes on to the client: takes all that is ours off the response. */
  #stop(): void {
    this.#stage = 'pass';
    this.#res.removeListener('close', this.#closed);
    this.#overlay.removeAll();
    Reflect.deleteProperty(this.#res, 'writableNeedDrain');
    Reflect.deleteProperty(this.#res, 'writableEnded');
  }
}
