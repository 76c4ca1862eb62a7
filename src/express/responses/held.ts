/** Holds an answer back until something else is done: nobody hears that a change was made before it shows everywhere. */

import { type Answered, capture } from '../capture/capture.ts';
import { hearLate } from '../capture/late.ts';
import type { IncomingLike, Next, ResponseLike } from '../request.ts';

/**
 * Goes on to the handler. As soon as its answer has a status, `before` begins with it; the answer itself begins when that is done.
 * `before` returns `undefined` where there is nothing to wait for.
 *
 * Where it throws or rejects, nothing of the answer is sent, and the error handlers have the error. It is also called for answers
 * whose client has gone: what was changed is changed.
 */
export function holdBack(
  req: IncomingLike,
  res: ResponseLike,
  next: Next,
  before: (answered: Answered) => Promise<void> | undefined,
): void {
  // As a promise also where it throws at once.
  const begin = (answered: Answered): Promise<void> | undefined => {
    try {
      return before(answered);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const beginLate = async (answered: Answered) => {
    try {
      await begin(answered);
    } catch (error) {
      next(error);
    }
  };
  const hearTheRest = () => hearLate(res, (answered) => void beginLate(answered));
  if (res.closed) {
    hearTheRest();
    return next();
  }

  const ended = deferred();
  let isHeard = false;
  const captured = capture(
    req,
    res,
    {
      head(answered) {
        isHeard = true;
        const done = begin(answered);
        if (done === undefined) return 'pass';
        void follow(done);
        return 'hold';
      },
      end: () => ended.resolve(),
      lost() {
        if (!isHeard) hearTheRest();
      },
    },
    { maxBodyBytes: Infinity, later: true },
  );
  const follow = async (done: Promise<void>) => {
    try {
      await done;
    } catch (error) {
      // Whoever still writes would write into the answer of the error handlers.
      await ended.promise;
      captured.discard();
      return next(error);
    }
    try {
      captured.goOn();
    } catch (error) {
      next(error);
    }
  };
  return next();
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
