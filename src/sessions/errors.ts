/** Makes errors that Express answers as they should be: with a status and, where waiting helps, with `Retry-After`. */

import { type ErrorCode, HotshelfError, isUnconfirmed } from '../support/errors.ts';

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
