/** Says which fields of an answer are kept, which of them a 304 renews, and which a 304 carries. */

import type { CacheControl } from './cache-control.ts';
import { parseEtag, strongMatch, weakMatch } from './etag.ts';
import { fieldValue, type Fields, listMembers } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** A field as it was set: its name in its own case, and its line or lines. */
export type FieldLine = readonly [name: string, value: string | readonly string[]];

/** The directives that keep single fields out of a shared cache. */
export type FieldRules = Pick<CacheControl, 'noCacheFields' | 'privateFields'>;

export interface KeepOptions {
  /**
   * Keeps Set-Cookie for everybody.
   *
   * @default false
   */
  readonly keepSetCookie?: boolean;
}

/** Fields for the next hop alone (RFC 9110 section 7.6.1), or for one proxy (RFC 9111 section 3.1). */
const forOneHop: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  // Trailers are not kept, so none are announced.
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What is left of one client's quota: the next one's is another. IETF ratelimit-headers-10 section 3, and what came before it. */
const ofOneClient: readonly string[] = [
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];

/**
 * Returns the fields that may be stored and sent to others: RFC 9111 section 3.1.
 *
 * Without those for one hop and for one client's quota, those that `Connection` or a qualified `no-cache` or `private` lists, and Set-Cookie. Age is
 * left out too: what it says is kept as a number, and each answer says it anew.
 */
export function storableFields(
  lines: readonly FieldLine[],
  directives: FieldRules,
  options?: KeepOptions,
): FieldLine[] {
  const dropped = new Set<string>([
    ...forOneHop,
    ...ofOneClient,
    'age',
    ...connectionOptions(lines),
    // RFC 9111 sections 5.2.2.4 and 5.2.2.7: the qualified forms.
    ...directives.noCacheFields,
    ...directives.privateFields,
  ]);
  if (options?.keepSetCookie !== true) dropped.add('set-cookie').add('set-cookie2');
  return lines.filter(([name]) => !dropped.has(name.toLowerCase()));
}

function connectionOptions(lines: readonly FieldLine[]): string[] {
  return lines
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => listMembers(typeof value === 'string' ? value : value.join(',')))
    .map((option) => option.toLowerCase());
}

/**
 * What is said of the very bytes that are kept, so that a 304, which has none, does not change it: RFC 9111 section 3.2.
 * The entity tag names these bytes too; a 304 that renews them has the same, or a weaker one.
 */
const ofTheBytes: ReadonlySet<string> = new Set([
  'content-digest',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
]);

/**
 * Returns the stored fields as a 304 with the `fresh` ones renews them: RFC 9111 section 3.2.
 *
 * @param directives what governs the answer from now on: the directives of the 304, or the stored ones if it has none
 */
export function updatedFields(
  stored: readonly FieldLine[],
  fresh: readonly FieldLine[],
  directives: FieldRules,
  options?: KeepOptions,
): FieldLine[] {
  const news = new Map<string, FieldLine[]>();
  for (const line of storableFields(fresh, directives, options)) {
    const name = line[0].toLowerCase();
    if (!ofTheBytes.has(name)) news.set(name, [...(news.get(name) ?? []), line]);
  }
  const updated: FieldLine[] = [];
  const seen = new Set<string>();
  for (const line of [...storableFields(stored, directives, options), ...Array.from(news.values()).flat()]) {
    const name = line[0].toLowerCase();
    const replacing = news.get(name);
    if (replacing === undefined) updated.push(line);
    else if (!seen.has(name)) updated.push(...replacing);
    seen.add(name);
  }
  return updated;
}

/**
 * Whether a 304 with the `fresh` fields is about the stored answer, so that it may renew it: RFC 9111 section 4.3.4.
 *
 * For the answer to a conditional request that was made with the validators of this stored answer alone.
 */
export function mayFreshen(
  stored: { readonly etag: string | undefined; readonly lastModifiedMs: number | undefined },
  fresh: Fields,
): boolean {
  const etag = fieldValue(fresh, 'etag');
  const parsed = parseEtag(etag);
  // What is malformed is no validator, and still has to be what was sent before.
  if (etag !== undefined && parsed === undefined) return etag === stored.etag;
  // A strong validator that is not the stored one: MUST NOT update.
  if (parsed?.weak === false) return strongMatch(etag, stored.etag);
  if (parsed !== undefined && stored.etag !== undefined) return weakMatch(etag, stored.etag);
  const lastModified = fieldValue(fresh, 'last-modified');
  if (lastModified !== undefined) {
    const lastModifiedMs = parseHttpDate(lastModified);
    return lastModifiedMs !== undefined && lastModifiedMs === stored.lastModifiedMs;
  }
  // Without any validator it can only be about the one answer that was asked about.
  return parsed === undefined;
}

/** What a client that has the answer knows already: RFC 9110 section 15.4.5. */
const ofTheRepresentation: ReadonlySet<string> = new Set([
  'content-digest',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'repr-digest',
]);

/**
 * Returns those of the stored fields that a 304 carries: all but what describes the body.
 *
 * Date, ETag, Vary, Cache-Control, Expires and Content-Location must be in it if they are in the 200; Last-Modified only
 * helps where there is no ETag.
 */
export function notModifiedFields(lines: readonly FieldLine[]): FieldLine[] {
  const hasEtag = lines.some(([name]) => name.toLowerCase() === 'etag');
  return lines.filter(([name]) => {
    const lower = name.toLowerCase();
    return !ofTheRepresentation.has(lower) && !(hasEtag && lower === 'last-modified');
  });
}
