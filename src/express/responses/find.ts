/** Finds the answer to a request: kept, being made for another request, or made now; and answers with it. */

import type { LoadContext } from '../../cache/load/ask.ts';
import type { Lookup } from '../../cache/lookup.ts';
import type { CacheStatus } from '../../http/cache-status.ts';
import { cacheStatusOf } from '../../http/cache-status.ts';
import { ghost } from '../capture/ghost.ts';
import { Hearing, type Loaded, type Question } from './hearing.ts';
import { hit } from './hit.ts';
import { inLanguage, languageOf } from './languages.ts';
import { type Place, variantPlace } from './place.ts';
import type { IncomingLike } from '../request.ts';
import { sendReply } from './send.ts';
import { knownTags, shelve } from './shelve.ts';
import type { Stored, Variants } from './stored.ts';
import { HandlerFailed, NotForOthers, type Shared, type Visit } from './visit.ts';

/**
 * What became of a request: it is answered, or will be by the handler, which runs for it; it may ask `again`; the answer is such
 * that each must have his `own`; it has `waited` too long for another one's.
 */
export type Finding = 'done' | 'again' | 'own' | 'waited';

/** A handler that runs for the cache alone waits at most so long, in ms, until its client has the earlier answer. */
const slowestClientMs = 10_000;
/** Whoever waits in this process waits a little longer than the one who waits for another process. */
const marginMs = 500;

export async function find<Request extends IncomingLike>(visit: Visit<Request>, place: Place): Promise<Finding> {
  let found: Lookup<Shared> | undefined;
  try {
    found = await inTime(visit, lookUp(visit, place));
  } catch (error) {
    return afterFailure(visit, error);
  }
  if (visit.answered) return 'done';
  if (found === undefined) return 'waited';
  if (visit.unavailable) return unavailable(visit);
  const { value } = found;
  if (visit.ran) return afterOwn(visit, found);
  if (value instanceof NotForOthers) {
    if (value.way === 'own') visit.route.notForOthers.set(visit.at.key, true);
    return value.way;
  }
  if (value.kind === 'answer') {
    const { cache: _cache, ...status } = cacheStatusOf(found, '');
    visit.reply(value, { ...status, ...(found.status === 'hit' && { ttlSeconds: visit.ttlSeconds(value) }) });
    return 'done';
  }
  if (place.variants !== undefined) return 'own';
  if (await answerInLanguage(visit, value)) return 'done';
  return find(visit, variantPlace(visit.at.key, value, visit.client, visit.route.rules));
}

/** Answers with what is there in the language that the client likes best, if that is known. */
async function answerInLanguage<Request extends IncomingLike>(
  { route, req, res, at, client }: Visit<Request>,
  variants: Variants,
): Promise<boolean> {
  const wanted = inLanguage(route, at.key, variants, client);
  if (wanted === undefined) return false;
  const stored = (await route.cache.peek(wanted.key)) as Stored | undefined;
  return stored?.kind === 'answer' && languageOf(stored) === wanted.language && hit(route, req, res, stored);
}

function lookUp<Request extends IncomingLike>(visit: Visit<Request>, place: Place): Promise<Lookup<Shared>> {
  const { route } = visit;
  const { waitMs } = route.rules;
  visit.acceptance = undefined;
  return route.cache.lookup<Shared>(place.key, (context) => load(visit, place, context as LoadContext<Stored>), {
    accept: ({ value, status }) => visit.accept(value as Stored, status === 'hit'),
    tags: knownTags(visit),
    ...(waitMs !== undefined && { wait: waitMs }),
  });
}

/** Has the handler answer; resolves as soon as it is known what others get. */
async function load<Request extends IncomingLike>(
  visit: Visit<Request>,
  place: Place,
  context: LoadContext<Stored>,
): Promise<Loaded> {
  const { req, res, route } = visit;
  if (visit.gone || visit.ran) return context.skip(new NotForOthers('again'));
  if (visit.directives?.onlyIfCached === true) {
    visit.unavailable = true;
    return context.skip(new NotForOthers('again'));
  }
  const earlier = context.stale?.value;
  visit.earlier = earlier?.kind === 'answer' ? earlier : undefined;
  if (visit.behind) {
    visit.gone = true;
    if (!(await hasItsAnswer(visit))) return context.skip(new NotForOthers('again'));
    ghost(req, res);
  } else {
    visit.ran = true;
  }
  route.making.add(place.key);
  return new Promise<Loaded>((resolve, reject) => {
    const question: Question = {
      context,
      shelve: (answer, plan) => shelve(visit, place, context, answer, plan),
      resolve,
      reject,
    };
    callHandler(visit, new Hearing(visit, question), reject);
  }).finally(() => route.making.delete(place.key));
}

function callHandler<Request extends IncomingLike>(
  visit: Visit<Request>,
  hearing: Hearing<Request>,
  reject: (error: unknown) => void,
): void {
  const failed = (error: unknown) => {
    visit.failure = { error };
    hearing.abandon();
    reject(error);
  };
  try {
    const result: unknown = visit.next();
    // A listener of `node:http` may be an async function.
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Tells whether the client has got the earlier answer: its handler runs for the cache alone from then on. */
function hasItsAnswer<Request extends IncomingLike>({ res, route }: Visit<Request>): Promise<boolean> {
  if (res.closed) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = route.clock.after(slowestClientMs, () => resolve(false), { background: true });
    res.once('close', () => {
      timer.cancel();
      // Whoever listens to the end of the answer hears of it before the next one begins.
      setImmediate(resolve, true);
    });
  });
}

/** What has come of asking the handler about an earlier answer. */
function afterOwn<Request extends IncomingLike>(visit: Visit<Request>, { value, stored }: Lookup<Shared>): Finding {
  const { answer, forwardStatus: fwdStatus } = visit;
  if (answer !== undefined) visit.reply(answer, { fwd: visit.forwardReason, fwdStatus, stored });
  // The handler failed. What is kept may be fresh: a client can want it confirmed all the same.
  else if (!(value instanceof NotForOthers) && value.kind === 'answer') visit.reply(value, failedStatus(visit));
  // Else the client has gone.
  return 'done';
}

function afterFailure<Request extends IncomingLike>(visit: Visit<Request>, error: unknown): Finding {
  const { failure, earlier } = visit;
  if (failure !== undefined) throw failure.error;
  if (visit.answered) return 'done';
  if (!visit.ran) return error instanceof HandlerFailed ? 'again' : 'own';
  // Others got nothing for it, but this client has been promised the earlier answer.
  if (earlier !== undefined) visit.reply(earlier, failedStatus(visit));
  return 'done';
}

function failedStatus<Request extends IncomingLike>({
  forwardReason,
  forwardStatus,
}: Visit<Request>): Omit<CacheStatus, 'cache'> {
  return {
    fwd: forwardReason,
    ...(forwardStatus !== undefined && { fwdStatus: forwardStatus }),
    detail: 'load failed',
  };
}

/** RFC 9111 section 5.2.1.7: only-if-cached. */
function unavailable<Request extends IncomingLike>({ res, route, startedAt }: Visit<Request>): Finding {
  const reply = { status: 504, statusText: '', lines: [], length: 0, body: undefined };
  const notes = { status: route.statusOf({ detail: 'only-if-cached' }), ageMs: undefined };
  sendReply(res, reply, { ...notes, timing: route.timingOf(startedAt, 'miss') }, false);
  return 'done';
}

/** Resolves with `undefined` where the request has waited too long for what another one is having made. */
function inTime<Request extends IncomingLike, Result>(
  visit: Visit<Request>,
  work: Promise<Result>,
): Promise<Result | undefined> {
  const { clock, rules, space } = visit.route;
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      if (visit.ran) return;
      visit.gone = true;
      resolve(undefined);
    };
    const timer = clock.after((rules.waitMs ?? space.policy.waitMs) + marginMs, giveUp, { background: true });
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
