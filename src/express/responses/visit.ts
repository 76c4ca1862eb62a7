/** One request from its beginning until it is answered: what the client said, what was found, what has become of it. */

import type { CacheControl } from '../../http/cache-control.ts';
import type { CacheStatus } from '../../http/cache-status.ts';
import type { Fields } from '../../http/fields.ts';
import { currentAgeMs, decideReuse, helpsOnError, requestDirectives } from '../../http/reuse.ts';
import type { Acceptance } from '../../cache/options.ts';
import type { Capture } from '../capture/capture.ts';
import type { PrimaryKey } from './key.ts';
import { replyTo } from './reply.ts';
import type { IncomingLike, Next, ResponseLike } from '../request.ts';
import type { Route } from './route.ts';
import { type Sender, sendReply } from './send.ts';
import type { Stored, StoredAnswer } from './stored.ts';

/** The handler failed, and there is an earlier answer to give instead. */
export class HandlerFailed extends Error {
  constructor(status: number) {
    super(`The handler answered ${status}.`);
  }
}

/** What others get of an answer that is not for them: `again` if it is worth to ask once more, `own` if each must have his own. */
export class NotForOthers {
  readonly way: 'again' | 'own';

  constructor(way: 'again' | 'own') {
    this.way = way;
  }
}

/** A value under a key of this room, and what may come of a load. */
export type Shared = Stored | NotForOthers;

export class Visit<Request extends IncomingLike> {
  readonly route: Route<Request>;
  readonly req: Request;
  readonly res: ResponseLike;
  readonly next: Next;
  readonly at: PrimaryKey;
  /** The fields as the client sent them. */
  readonly client: Fields;
  /** What the client says about caching, where that counts. */
  readonly directives: CacheControl | undefined;
  readonly startedAt: number;
  /** What the entry that was found last is good for; `undefined` if there was none. */
  acceptance: Acceptance | undefined;
  /** The client wants no more than what is kept, and that is not good enough. */
  unavailable = false;
  /** The request goes another way: the handler must not be called for the cache any more. */
  gone = false;
  /** The handler was called for this client. */
  ran = false;
  /** The request went on past the cache. */
  passed = false;
  /** The client has its answer, or gets it from the handler. */
  answered = false;
  /** What is to be the answer, whatever becomes of what is kept. */
  answer: StoredAnswer | undefined;
  /** The earlier answer that the handler was asked about, and the status that it gave. */
  earlier: StoredAnswer | undefined;
  forwardStatus: number | undefined;
  /** What the handler has thrown, where nobody else catches it. */
  failure: { readonly error: unknown } | undefined;
  captured: Capture | undefined;

  constructor(route: Route<Request>, req: Request, res: ResponseLike, next: Next, at: PrimaryKey) {
    this.route = route;
    this.req = req;
    this.res = res;
    this.next = next;
    this.at = at;
    this.client = { ...req.headers };
    this.directives = route.rules.requestDirectives ? requestDirectives(this.client) : undefined;
    this.startedAt = route.clock.monotonic();
  }

  /** The handler runs, or would run, for nobody but the cache. */
  get behind(): boolean {
    return this.acceptance === 'refresh';
  }

  /** Says what is to be done with what was found. */
  accept(stored: Stored, isFresh: boolean): Acceptance {
    this.unavailable = false;
    this.acceptance = stored.kind === 'variants' ? (isFresh ? 'serve' : 'replace') : this.#acceptAnswer(stored);
    return this.acceptance;
  }

  #acceptAnswer({ stock }: StoredAnswer): Acceptance {
    const now = this.route.clock.now();
    const reuse = decideReuse(stock, this.directives, now);
    if (reuse === 'serve' || reuse === 'refresh') return reuse;
    if (reuse === 'unavailable') {
      this.unavailable = true;
      return 'serve';
    }
    return helpsOnError(stock, this.directives, now) ? 'load' : 'replace';
  }

  /** The functions with which the client is answered, past everything that listens to the handler. */
  get sender(): Sender {
    const { res, captured } = this;
    if (captured === undefined) return res;
    return {
      ...captured.real,
      getHeader: (name) => res.getHeader(name),
      getHeaderNames: () => res.getHeaderNames(),
      hasHeader: (name) => res.hasHeader(name),
    };
  }

  /** Answers the client with what is kept. */
  reply(stored: StoredAnswer, status: Omit<CacheStatus, 'cache'>): void {
    this.answered = true;
    this.captured?.reset();
    const ageMs = currentAgeMs(stored.stock, this.route.clock.now());
    const notes = { status: this.route.statusOf(status), ageMs, timing: this.timing(status) };
    sendReply(this.sender, replyTo(stored, this.client), notes, this.req.method !== 'HEAD');
  }

  /** How long the answer stays fresh, in seconds. */
  ttlSeconds({ stock }: StoredAnswer): number {
    return (stock.lifetimeMs - currentAgeMs(stock, this.route.clock.now())) / 1000;
  }

  /** Why the handler was asked: RFC 9211 section 2.2. */
  get forwardReason(): 'stale' | 'request' {
    const { earlier } = this;
    if (earlier === undefined) return 'stale';
    return decideReuse(earlier.stock, undefined, this.route.clock.now()) === 'serve' ? 'request' : 'stale';
  }

  timing(status: Omit<CacheStatus, 'cache'>): string | undefined {
    return this.route.timingOf(this.startedAt, status.hit === true ? 'hit' : (status.fwd ?? 'miss'));
  }
}
