/** Says which status codes may be stored: never, by default, or only with a lifetime of their own. */

/** Answers to what one client sent beside the target URI, or statuses that no cache may store. */
export const neverStored: ReadonlySet<number> = new Set([
  304, // RFC 9111 section 4.3.4: it updates a stored response, and is none.
  412, // RFC 9110 section 13.1: about the preconditions of one request.
  416, // RFC 9110 section 14.2: about the range of one request.
  428, // RFC 6585 sections 3 to 6: these four must not be stored.
  429,
  431,
  511,
]);

/** RFC 9110 section 15.1: these may be stored without a stated lifetime. */
export const heuristicallyCacheable: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/** The final statuses that RFC 9110 section 15 defines and whose rules for caches are kept here. */
export const understood: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
  410, 411, 413, 414, 415, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505,
]);
