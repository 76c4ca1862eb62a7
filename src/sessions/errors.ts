/** Makes the errors of sessions: those of a request say how to answer it, with a status and, where waiting helps, `Retry-After`. */

import { describe, type ErrorCode, HotshelfError, isUnconfirmed } from '../support/errors.ts';

/** A `HotshelfError` that says how to answer the request: error handlers of Express read `status` and `headers`. */
export class SessionError extends HotshelfError {
  /** The status of the answer: 503 where the backend did not answer. */
  readonly status: number;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, status: number, options?: ErrorOptions) {
    super(code, message, options);
    this.status = status;
    this.headers = status === 503 ? { 'Retry-After': retryAfterSeconds } : {};
  }
}

/** The breaker of an adapter asks the server several times a second whether it is back. */
const retryAfterSeconds = '1';

/** Returns `error` as one that says how to answer. */
export function sessionError(error: unknown): Error {
  if (error instanceof SessionError) return error;
  if (!(error instanceof HotshelfError)) {
    return error instanceof Error ? error : new Error('A session store failed with something that is no error.');
  }
  const { code, message } = error;
  const status = code === 'CLOSED' || isUnconfirmed(error) ? 503 : 500;
  return new SessionError(code, message, status, { cause: error });
}

/** An option that is not what it should be. */
export function expected(what: string, got: unknown): HotshelfError {
  return new HotshelfError('OPTION_INVALID', `Expected ${what}, got ${describe(got)}.`);
}
