/** Lists every error that hotshelf raises, by a stable code. */

/** What each code means; the message of an error adds what happened, to what, and what to do. */
export const errorCodes = {
  OPTION_INVALID: 'An option has a value that is not allowed.',
  URL_INVALID: 'A backend URL cannot be understood.',
  KEY_INVALID: 'A key is neither a string nor a tuple of simple parts.',
  VALUE_INVALID: 'A value cannot be encoded.',
  VALUE_TOO_LARGE: 'A value is larger than the limit of the cache or of its backend.',
  FACET_MISSING: 'The backend cannot do what a feature needs.',
  CLIENT_MISSING: 'An optional client package is not installed or is not usable.',
  BACKEND_DOWN: 'The backend does not answer; the command was not sent.',
  OUTCOME_UNKNOWN: 'The command was sent and no answer came: it may or may not have been applied.',
  BACKEND_REFUSED: 'The backend answered with an error; nothing was applied.',
  CACHE_LOAD_TIMEOUT: 'A load took longer than `timeout.hard`.',
  INVALIDATION_UNCONFIRMED: 'The write is done, but the backend did not confirm that the cached copies are gone.',
  SESSION_LIMIT: 'An owner has as many sessions as `maxPerOwner` allows.',
  SESSION_CONTENDED: 'A session was changed by others again and again while a change to it should be stored.',
  BOARD_FULL: 'A leaderboard has as many members as its backend can keep.',
  SEASON_TAKEN: 'A leaderboard has a season of that name already.',
  LIMIT_EXCEEDED: 'A limit refused the call, which did not run.',
  CLOSED: 'The object was closed before the call.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/**
 * The one error class of hotshelf. Branch on `code`; `cause` holds what was underneath, scrubbed of credentials and values.
 *
 * @example
 * try {
 *   await cache.invalidate(['city', 7]);
 * } catch (error) {
 *   if (error instanceof HotshelfError && error.code === 'BACKEND_DOWN') retryLater();
 * }
 */
export class HotshelfError extends Error {
  override readonly name = 'HotshelfError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Raised by `mutate(…, { strict: true })`: the write was done and `result` is what it returned. */
export class UnconfirmedError extends HotshelfError {
  readonly result: unknown;

  constructor(message: string, result: unknown, options?: ErrorOptions) {
    super('INVALIDATION_UNCONFIRMED', message, options);
    this.result = result;
  }
}

/** Tells whether `error` says that the backend did not confirm a command. */
export function isUnconfirmed(error: unknown): error is HotshelfError {
  return error instanceof HotshelfError && unconfirmed.has(error.code);
}

const unconfirmed: ReadonlySet<ErrorCode> = new Set(['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED']);

/** Shows a rejected value in an error message: its kind and at most a few characters, never an object's content. */
export function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 40 ? `a string of ${value.length} characters` : `"${value}" (string)`;
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `${value} (${typeof value})`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  return Array.isArray(value) ? 'an array' : 'an object';
}
