/** Writes the Cache-Status header field: what the cache did with a request. */

/** One member of the field. RFC 9211 section 2. */
export interface CacheStatus {
  /** The cache's name, as its operator knows it. */
  readonly cache: string;
  /** The answer came from the cache (section 2.1). Excludes `fwd`. */
  readonly hit?: boolean;
  /** Why the request went on to the origin (section 2.2). */
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';
  /** How long the answer stays fresh, in seconds; below 0 if it is stale (section 2.4). */
  readonly ttlSeconds?: number;
  /** The answer was stored (section 2.5). */
  readonly stored?: boolean;
  /** The request was answered together with another one (section 2.6). */
  readonly collapsed?: boolean;
  /** Anything more that helps the reader, in ASCII (section 2.8). */
  readonly detail?: string;
}

/**
 * Returns the field's value.
 *
 * @example
 * formatCacheStatus({ cache: 'hotshelf', hit: true, ttlSeconds: 59 }); // 'hotshelf; hit; ttl=59'
 */
export function formatCacheStatus(status: CacheStatus): string {
  const { cache, hit, fwd, ttlSeconds, stored, collapsed, detail } = status;
  let field = isToken(cache) ? cache : quoted(cache);
  if (hit === true) field += '; hit';
  else if (fwd !== undefined) field += `; fwd=${fwd}`;
  if (ttlSeconds !== undefined && Number.isFinite(ttlSeconds)) field += `; ttl=${wholeSeconds(ttlSeconds)}`;
  if (stored === true) field += '; stored';
  if (collapsed === true) field += '; collapsed';
  if (detail !== undefined) field += `; detail=${isToken(detail) ? detail : quoted(detail)}`;
  return field;
}

/** RFC 8941 section 3.3.1: an integer has at most 15 digits. */
function wholeSeconds(seconds: number): number {
  return Math.trunc(Math.min(largest, Math.max(-largest, seconds)));
}

const largest = 999_999_999_999_999;

// RFC 8941 section 3.3.4: a token starts with a letter or "*".
const token = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/;

function isToken(text: string): boolean {
  return token.test(text);
}

/** RFC 8941 section 3.3.3: printable ASCII, with `"` and `\` escaped; anything else is left out. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`;
}
