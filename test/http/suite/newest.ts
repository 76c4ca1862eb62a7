/** What the newest edition of the published suite asks of the tests that the packaged edition has. */

import type { Kind, PublishedTest } from 'http-cache-tests/tests/index.mjs';

/** Told anew, with another expectation or other steps, among our own cases. */
const retold = new Set([
  // RFC 9111 section 5.1: what is no number is ignored, and the first of several values counts.
  'age-parse-nonnumeric',
  'age-parse-negative',
  'age-parse-float',
  'age-parse-prefix-twoline',
  'age-parse-dup-0',
  'age-parse-dup-0-twoline',
  'age-parse-dup-old',
  // The dates of the packaged tests lack a comma.
  'freshness-expires-32bit',
  'freshness-expires-far-future',
  // RFC 9111 section 5.3: an invalid date is a time in the past. The packaged tests ask whether it is read all the same.
  'freshness-expires-invalid-utc',
  'freshness-expires-invalid-aest',
  'freshness-expires-invalid-2-digit-year',
  'freshness-expires-invalid-no-comma',
  'freshness-expires-invalid-multiple-spaces',
  'freshness-expires-invalid-date-dashes',
  'freshness-expires-invalid-time-periods',
  'freshness-expires-invalid-1-digit-hour',
  'freshness-expires-invalid-multiple-lines',
  // The packaged tests want a 200 of an origin that hung up.
  'stale-close-must-revalidate',
  'stale-close-proxy-revalidate',
  'stale-close-no-cache',
  'stale-close-s-maxage=2',
  // The newest edition leaves out all fields that Vary names, and requires it.
  'vary-2-match-omit',
]);

/** The newest edition asks about these, but requires them of nobody any more, or no longer has them. */
const onlyAsked = new Set([
  'freshness-max-age-ignore-quoted-all',
  'freshness-max-age-ignore-quoted-all-rev',
  'age-parse-parameter',
  'age-parse-numeric-parameter',
  ...['Content-Encoding', 'Content-Location', 'Content-MD5', 'Content-Range', 'Content-Security-Policy'].map(updates),
  ...['Content-Type', 'Clear-Site-Data', 'ETag', 'Expires', 'Public-Key-Pins'].map(updates),
  ...['Set-Cookie', 'Set-Cookie2', 'X-Frame-Options', 'X-XSS-Protection'].map(updates),
  ...['POST', 'PUT', 'DELETE', 'M-SEARCH'].flatMap((method) => [
    `invalidate-${method}-location`,
    `invalidate-${method}-cl`,
  ]),
]);

const otherKinds: Readonly<Record<string, Kind>> = {
  'freshness-expires-rfc850': 'optimal',
  'freshness-expires-ansi-c': 'optimal',
  'freshness-expires-wrong-case-weekday': 'optimal',
  'freshness-expires-wrong-case-month': 'optimal',
  'freshness-expires-wrong-case-tz': 'optimal',
  'partial-use-stored-headers': 'required',
};

function updates(field: string): string {
  return `304-etag-update-response-${field}`;
}

/** Named by the newest edition; the packaged one leaves these out. */
const restsOn: Readonly<Record<string, string>> = {
  'vary-2-match': 'vary-match',
  'vary-2-no-match': 'vary-2-match',
  'vary-3-match': 'vary-2-match',
  'vary-3-no-match': 'vary-3-match',
  'vary-3-order': 'vary-3-match',
  'vary-3-omit': 'vary-3-match',
};

/**
 * What must pass for a test to count: else a server that never reuses anything would pass whatever wants no reuse. The newest
 * edition rests nearly everything on `freshness-max-age`; here all the rest does.
 */
export function restsOf({ id, depends_on: named = [] }: PublishedTest): readonly string[] {
  if (id === 'freshness-none') return [];
  if (id === 'freshness-max-age') return ['freshness-none'];
  const own = restsOn[id] ?? (id.startsWith('vary-') && id !== 'vary-match' ? 'vary-match' : 'freshness-max-age');
  return [own, ...named.filter((other) => !retold.has(other))];
}

/** Whether a packaged test counts in the newest edition as it is. */
export function isCurrent(test: PublishedTest): boolean {
  return !retold.has(test.id);
}

/** What the newest edition makes of a packaged test. */
export function kindOf(test: PublishedTest): Kind {
  return onlyAsked.has(test.id) ? 'check' : (otherKinds[test.id] ?? test.kind ?? 'required');
}
