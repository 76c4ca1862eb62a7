/** Makes requests, responses and rules for the tests of what HTTP says about storing and reuse. */

import {
  type Fields,
  formatHttpDate,
  planStorage,
  type RequestHead,
  type ResponseHead,
  type StoragePlan,
  type StoreRefusal,
  type StoreRules,
} from 'hotshelf/http';

/** A full second, as all dates of header fields are. */
export const now = Date.UTC(2026, 10, 22, 12);

/** The date `seconds` from `now`, as a header field has it. */
export function at(seconds: number): string {
  return formatHttpDate(now + seconds * 1000);
}

export const get: RequestHead = { method: 'GET', fields: {} };

/** Rules that allow nothing beyond what the response says. */
export const strict: StoreRules = {
  targets: ['cdn-cache-control'],
  heuristic: false,
  authorized: false,
  storeErrors: false,
  storeSetCookie: false,
  keepStaleMs: 600_000,
};

/** Rules that allow all that the standard allows. */
export const everything: StoreRules = {
  ...strict,
  heuristic: true,
  storeErrors: true,
  storeSetCookie: true,
  requestDirectives: true,
};

export function ok(fields: Fields): ResponseHead {
  return { status: 200, fields };
}

/** What becomes of a response that arrives at once. */
export function planned(
  response: ResponseHead,
  rules: Partial<StoreRules> = {},
  request: RequestHead = get,
): StoragePlan | StoreRefusal {
  return planStorage(request, response, { ...strict, ...rules }, { requestedAt: now, respondedAt: now });
}

/** The same for what must be stored. */
export function stored(response: ResponseHead, rules: Partial<StoreRules> = {}): StoragePlan {
  const plan = planned(response, rules);
  if (typeof plan === 'string') throw new Error(`Expected it to be stored, but it was refused: ${plan}.`);
  return plan;
}
