/** Says which stored answers are no longer true after a request that changes something. */

import { fieldValue, type Fields } from './fields.ts';

// RFC 9110 section 9.2.1, and the methods that IANA's registry calls safe. They are case-sensitive.
const safeMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PRI',
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);

/** Whether the method only reads. One that is not known counts as unsafe: RFC 9111 section 4.4. */
export function isSafeMethod(method: string): boolean {
  return safeMethods.has(method);
}

/** Whether an answer with this status to this method invalidates what is stored for its URI: RFC 9111 section 4.4. */
export function invalidatesTarget(method: string, status: number): boolean {
  return !isSafeMethod(method) && status >= 200 && status < 400;
}

/**
 * Returns the absolute URLs, besides its own, that the answer to a request for `target` says have changed.
 *
 * Only those of the same origin, so that no server can invalidate what belongs to another: RFC 9111 section 4.4.
 *
 * @param target the request's absolute URL
 */
export function relatedTargets(target: string, fields: Fields): string[] {
  if (!URL.canParse(target)) return [];
  const base = new URL(target);
  const related = ['location', 'content-location']
    .map((name) => sameOrigin(fieldValue(fields, name), base))
    .filter((url) => url !== undefined);
  return [...new Set(related)];
}

function sameOrigin(reference: string | undefined, base: URL): string | undefined {
  if (reference === undefined || !URL.canParse(reference, base.href)) return undefined;
  const url = new URL(reference, base);
  // Two URLs that are neither http nor https have the same origin, "null", and nothing in common.
  if (url.origin !== base.origin || url.origin === 'null') return undefined;
  // What a server is asked for has neither a fragment nor a user: RFC 9110 sections 4.2.4 and 7.1.
  url.hash = '';
  url.username = '';
  url.password = '';
  return url.href;
}
