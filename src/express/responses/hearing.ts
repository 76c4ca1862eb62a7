/** Hears what a handler answers, has its own client answered, and tells what others may get of it. */

import type { LoadContext } from '../../cache/load/ask.ts';
import type { Skipped } from '../../cache/load/outcome.ts';
import { fieldValue } from '../../http/fields.ts';
import { conditionalFields } from '../../http/preconditions.ts';
import { mayFreshen } from '../../http/stored-fields.ts';
import { planStorage, type StoragePlan, type StoreRefusal } from '../../http/storing.ts';
import { confirmedAnswer, fieldsOf, keptAnswer, wholeAnswer } from './answer.ts';
import { type Answered, capture, type Capture, type Course, type Ear, type LossReason } from '../capture/capture.ts';
import { askAs } from './conditions.ts';
import { type IdentityWatch, watchIdentity } from './identity.ts';
import { replyTo } from './reply.ts';
import type { IncomingLike } from '../request.ts';
import { addNotes, sendReply } from './send.ts';
import type { Stored, StoredAnswer } from './stored.ts';
import { setOut } from './under-way.ts';
import { HandlerFailed, NotForOthers, type Shared, type Visit } from './visit.ts';

export type Loaded = Stored | Skipped<Shared>;

/** What a load wants to know of an answer. */
export interface Question {
  readonly context: LoadContext<Stored>;
  /** Puts an answer that may be kept where it belongs. */
  readonly shelve: (answer: StoredAnswer, plan: StoragePlan) => Promise<Loaded>;
  readonly resolve: (loaded: Loaded | Promise<Loaded>) => void;
  readonly reject: (error: unknown) => void;
}

/** Why an answer is not kept: what the standard or the route says, or who is asking was read of the request; or it is too long. */
type Refusal = StoreRefusal | 'personal' | 'too-large';

export class Hearing<Request extends IncomingLike> implements Ear {
  readonly #visit: Visit<Request>;
  readonly #question: Question;
  readonly #watch: IdentityWatch | undefined;
  readonly #capture: Capture;
  readonly #restore: () => void;
  readonly #requestedAt: number;
  #respondedAt: number;
  #answered: Answered | undefined;
  #plan: StoragePlan | Refusal = 'status';
  #course: Course = 'pass';
  #note: string | undefined;

  /** Begins to listen; the handler is to be called next. */
  constructor(visit: Visit<Request>, question: Question) {
    const { req, res, route } = visit;
    const { rules, clock } = route;
    this.#visit = visit;
    this.#question = question;
    this.#requestedAt = clock.now();
    this.#respondedAt = this.#requestedAt;
    this.#restore = askAs(req, visit.earlier);
    const watch = rules.public || rules.per !== undefined ? undefined : watchIdentity(req);
    this.#watch = watch;
    setOut(route, req, visit.at, watch);
    const around = watch && { around: <Result>(run: () => Result): Result => watch.pause(run) };
    this.#capture = capture(req, res, this, { maxBodyBytes: rules.maxBodyBytes, ...around });
    visit.captured = this.#capture;
  }

  head(answered: Answered, body: Buffer | undefined): Course {
    try {
      return this.#head(answered, body);
    } catch (error) {
      // A function of the options has thrown: the answer is its client's alone, and an event of the cache tells of it.
      const visit = this.#visit;
      this.#deafen();
      this.#question.reject(error);
      // A 304 answers a question of the cache: the client gets the earlier answer.
      visit.answered = !visit.behind && visit.forwardStatus !== 304;
      if (!visit.answered) return 'drop';
      addNotes(visit.sender, { status: visit.route.statusOf({ fwd: 'miss', detail: 'options' }) });
      return 'pass';
    }
  }

  #head(answered: Answered, body: Buffer | undefined): Course {
    const visit = this.#visit;
    this.#answered = answered;
    this.#respondedAt = visit.route.clock.now();
    if (visit.earlier !== undefined) visit.forwardStatus = answered.status;
    if (visit.earlier !== undefined && answered.status === 304) return this.#confirmed(visit.earlier, answered);
    // RFC 5861 section 4 names 500, 502, 503 and 504; the others are no better.
    if (answered.status >= 500 && (visit.behind || visit.acceptance === 'load')) {
      this.#deafen();
      this.#question.reject(new HandlerFailed(answered.status));
      return 'drop';
    }
    this.#plan = this.#planFor(answered);
    this.#course = this.#courseFor(body);
    if (this.#course === 'pass' || this.#course === 'drop') this.#refused();
    return this.#course;
  }

  end(body: Buffer): void {
    try {
      this.#end(body);
    } catch (error) {
      // Other middleware fails to send it: those who wait must not wait for ever.
      this.#question.reject(error);
      throw error;
    }
  }

  #end(body: Buffer): void {
    const answered = this.#answered;
    if (answered === undefined) return;
    const { route, behind } = this.#visit;
    const personal = this.#deafen();
    if (personal !== undefined && isPlan(this.#plan)) this.#plan = 'personal';
    const whole = wholeAnswer(answered, body, this.#respondedAt, isPlan(this.#plan));
    if (this.#course === 'hold' && !behind) this.#reply(whole);
    const plan = this.#plan;
    if (!isPlan(plan)) this.#refused();
    else {
      const keeping = keptAnswer(whole, answered.all, plan, route.rules, this.#respondedAt);
      this.#question.resolve(keeping.then((kept) => this.#question.shelve(kept, plan)));
    }
  }

  lost(why: LossReason): void {
    this.#deafen();
    this.#skip(why === 'aborted' ? 'again' : 'own');
  }

  /** A session that begins with this answer, say: then the answer is not for others, for this one may know whose it is. */
  cookie(): void {
    if (this.#visit.route.rules.storeSetCookie || !isPlan(this.#plan)) return;
    this.#plan = 'set-cookie';
    const { sender } = this.#visit;
    const earlier = String(sender.getHeader('Cache-Status') ?? '');
    if (this.#note === undefined || !earlier.endsWith(this.#note)) return;
    sender.setHeader('Cache-Status', earlier.slice(0, -this.#note.length) + this.#statusText());
  }

  /** Ends it where no answer will come: the handler has thrown, and nobody will catch that. */
  abandon(): void {
    this.#deafen();
    this.#capture.release();
  }

  #planFor(answered: Answered): StoragePlan | Refusal {
    const { route, req, client } = this.#visit;
    if (this.#watch?.personal !== undefined) return 'personal';
    if (Number(answered.all['content-length']) > route.rules.maxBodyBytes) return 'too-large';
    const times = { requestedAt: this.#requestedAt, respondedAt: this.#respondedAt };
    // All that the client is told counts, whoever says it: middleware before the cache may know what the answer depends on.
    const response = { status: answered.status, fields: answered.all };
    return planStorage({ method: 'GET', fields: client }, response, route.storeRules(req, answered), times);
  }

  #courseFor(body: Buffer | undefined): Course {
    const visit = this.#visit;
    const isKept = isPlan(this.#plan);
    if (visit.behind) return isKept ? 'hold' : 'drop';
    visit.answered = true;
    // What comes in one piece is answered here: with an entity tag, and as the client's conditions want it.
    const isWhole = body !== undefined && this.#answered?.fields['trailer'] === undefined;
    const hasConditions = conditionalFields.some((name) => visit.client[name] !== undefined);
    if (isWhole && (isKept || (hasConditions && this.#answered?.status === 200))) return 'hold';
    addNotes(visit.sender, { status: this.#status(), timing: visit.timing({ fwd: 'miss' }) });
    return isKept ? 'copy' : 'pass';
  }

  /** RFC 9111 section 4.3.4: the earlier answer is still true, and what the 304 says of it is newer. */
  #confirmed(earlier: StoredAnswer, answered: Answered): Course {
    const visit = this.#visit;
    const { rules } = visit.route;
    const personal = this.#deafen();
    const validators = {
      etag: earlier.etagIsOrigins ? earlier.etag : undefined,
      lastModifiedMs: earlier.lastModifiedMs,
    };
    if (!mayFreshen(validators, answered.fields)) {
      visit.answer = earlier;
      this.#skip('again');
      return 'drop';
    }
    const confirmed = confirmedAnswer(earlier, answered, rules, this.#respondedAt);
    const plan = this.#planFor(confirmingHead(answered, confirmed));
    const stock = { ...(isPlan(plan) ? plan : { ...earlier.stock, ageMs: 0 }), respondedAt: this.#respondedAt };
    const answer = { ...confirmed, stock };
    visit.answer = answer;
    if (personal !== undefined || !isPlan(plan)) this.#skip('own');
    else this.#question.resolve(this.#question.shelve(answer, plan));
    return 'drop';
  }

  #reply(whole: Omit<StoredAnswer, 'stock'>): void {
    const visit = this.#visit;
    this.#capture.reset();
    // RFC 9111 section 5.1: Age says that the answer was not made for this request; where that is so, the handler has said it.
    const notes = { status: this.#status(), ageMs: undefined, timing: visit.timing({ fwd: 'miss' }) };
    sendReply(visit.sender, replyTo(whole, visit.client), notes, true);
  }

  /** What the handler is asked from now on is not noticed any more, and the request is as the client sent it. */
  #deafen(): Refusal | undefined {
    const personal = this.#watch?.personal;
    this.#watch?.end();
    this.#restore();
    return personal === undefined ? undefined : 'personal';
  }

  #refused(): void {
    this.#deafen();
    this.#skip('own');
  }

  #skip(way: NotForOthers['way']): void {
    this.#question.resolve(this.#question.context.skip(new NotForOthers(way)));
  }

  #status(): string {
    this.#note = this.#statusText();
    return this.#note;
  }

  #statusText(): string {
    const { route, acceptance, earlier, forwardStatus } = this.#visit;
    const { bypass } = this.#question.context;
    if (bypass !== undefined) return route.statusOf({ fwd: 'bypass', detail: bypass });
    const stored = isPlan(this.#plan);
    const fwd = earlier === undefined && acceptance === undefined ? 'miss' : this.#visit.forwardReason;
    const status = this.#answered?.status;
    return route.statusOf({
      fwd,
      ...(forwardStatus !== undefined && forwardStatus !== status && { fwdStatus: forwardStatus }),
      stored,
      ...(typeof this.#plan === 'string' && { detail: this.#plan }),
    });
  }
}

/** The head of the answer that a 304 has confirmed: with what the 304 says, and what both say that they depend on. */
function confirmingHead(answered: Answered, { status, lines }: StoredAnswer): Answered {
  const fields = fieldsOf(lines);
  const vary = [fieldValue(answered.all, 'vary'), fieldValue(fields, 'vary')].filter((value) => value !== undefined);
  return { ...answered, status, fields, all: { ...answered.all, ...fields, ...(vary.length > 0 && { vary }) } };
}

function isPlan(plan: StoragePlan | Refusal): plan is StoragePlan {
  return typeof plan !== 'string';
}
