/** Reads, compares and makes entity tags: do two answers have the same bytes, or at least the same meaning? */

import { createHash } from 'node:crypto';
import { withoutSpace } from './fields.ts';

/** RFC 9110 section 8.8.3. */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly tag: string;
}

/** Returns the entity tag that `text` is, or `undefined` when it is none. */
export function parseEtag(text: string | undefined): EntityTag | undefined {
  if (text === undefined) return undefined;
  const trimmed = withoutSpace(text);
  // RFC 9110 section 8.8.3: weak = %s"W/", which is case-sensitive.
  const weak = trimmed.startsWith('W/');
  const start = weak ? 2 : 0;
  const last = trimmed.length - 1;
  if (last <= start || trimmed[start] !== '"' || trimmed[last] !== '"') return undefined;
  const tag = trimmed.slice(start + 1, last);
  return opaque.test(tag) ? { weak, tag } : undefined;
}

// RFC 9110 section 8.8.3: etagc = %x21 / %x23-7E / obs-text. No blanks, and a backslash escapes nothing.
const opaque = /^[\x21\x23-\x7e\x80-\xff]*$/;

/**
 * Returns the entity tags of a list such as `If-None-Match` has; members that are none are left out.
 *
 * A list of quoted strings is cut in another way: `"a\"` is a whole entity tag.
 */
export function entityTags(list: string | undefined): EntityTag[] {
  if (list === undefined) return [];
  const tags: EntityTag[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= list.length; at += 1) {
    const char = list[at];
    if (char === '"') quoted = !quoted;
    if (char !== undefined && (char !== ',' || quoted)) continue;
    const tag = parseEtag(list.slice(start, at));
    if (tag !== undefined) tags.push(tag);
    start = at + 1;
  }
  return tags;
}

/** RFC 9110 section 8.8.3.2: both are strong, and the same; what is no entity tag equals nothing. */
export function strongMatch(a: string | undefined, b: string | undefined): boolean {
  return equalStrong(parseEtag(a), parseEtag(b));
}

/** RFC 9110 section 8.8.3.2: the same, whether weak or not; what is no entity tag equals nothing. */
export function weakMatch(a: string | undefined, b: string | undefined): boolean {
  return equalWeak(parseEtag(a), parseEtag(b));
}

/** Whether a member of the list equals `etag` in the strong comparison. */
export function listsStrong(list: string, etag: string | undefined): boolean {
  const wanted = parseEtag(etag);
  return entityTags(list).some((tag) => equalStrong(tag, wanted));
}

/** Whether a member of the list equals `etag` in the weak comparison. */
export function listsWeak(list: string, etag: string | undefined): boolean {
  const wanted = parseEtag(etag);
  return entityTags(list).some((tag) => equalWeak(tag, wanted));
}

function equalStrong(a: EntityTag | undefined, b: EntityTag | undefined): boolean {
  return a?.weak === false && b?.weak === false && a.tag === b.tag;
}

function equalWeak(a: EntityTag | undefined, b: EntityTag | undefined): boolean {
  return a !== undefined && b !== undefined && a.tag === b.tag;
}

/** 128 bits: two bodies of one resource never share a tag by accident, nor does anybody find two that do. */
const bytesOfHash = 16;

/** Returns the strong entity tag that these bytes have always and everywhere. */
export function strongEtagOf(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest().subarray(0, bytesOfHash).toString('base64url')}"`;
}

/**
 * Returns the entity tag of the same answer in another content coding, as weak or strong as `etag`.
 *
 * What is no entity tag stays as it is; it never matches anything.
 *
 * @example
 * variantEtag('"abc"', 'br'); // '"abc-br"'
 */
export function variantEtag(etag: string, coding: string): string {
  const parsed = parseEtag(etag);
  // RFC 9110 section 8.8.3.3: codings of one answer have entity tags of their own.
  if (parsed === undefined || coding === 'identity') return etag;
  return `${parsed.weak ? 'W/' : ''}"${parsed.tag}-${coding}"`;
}
