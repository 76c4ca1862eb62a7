/** Writes and reads what only some envelopes have, behind the fixed part of the header: tags, an etag, the time a load took. */

import { HotshelfError } from '../support/errors.ts';

/** What the sections say. */
export interface Extras {
  /** Full backend keys of the tags. */
  readonly tags: readonly string[];
  /** Which clock of tags `count` belongs to, and its state before the load began; both 0 without tags. */
  readonly era: number;
  readonly count: number;
  readonly etag: string | undefined;
  /** How long the load took, in whole ms; 0 if nobody said it. */
  readonly loadMs: number;
}

/** A section is its type (1 byte), the length of its content (2 bytes, big endian) and the content. */
const types = {
  /** From here to the end of the header is nothing. */
  padding: 0,
  /** Era (double), count (double), then each tag: length (1 byte), latin1 text. */
  tags: 1,
  /** UTF-8 text. */
  etag: 2,
  /** Whole ms (4 bytes). */
  loadTime: 3,
} as const;

const sectionHead = 3;
const clockBytes = 16;
const loadTimeBytes = 4;
const mostTags = 64;
const mostEtagBytes = 1024;
/** The header's length is one byte of 16-byte units, of which the fixed part takes 4. */
export const unitBytes = 16;
const mostBytes = (255 - 4) * unitBytes;
const mostTagBytes = mostBytes - 3 * sectionHead - clockBytes - mostEtagBytes - loadTimeBytes;

const tagText = /^[\x21-\x7e]{1,240}$/;

export const noExtras: Extras = Object.freeze({
  tags: Object.freeze([]),
  era: 0,
  count: 0,
  etag: undefined,
  loadMs: 0,
});

/**
 * Tells whether `tags` fit into a header, together with the longest etag: at most 64 of them, of 1 to 240 printable ASCII
 * characters each, and 2,963 characters in all, where each tag counts one more than it has.
 */
export function tagsFit(tags: readonly string[]): boolean {
  return tags.length <= mostTags && tags.every((tag) => tagText.test(tag)) && tagBytes(tags) <= mostTagBytes;
}

/**
 * Returns the sections, as long as whole units; nothing if there is nothing to say.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when the tags or the etag do not fit.
 */
export function writeSections(extras: Partial<Extras>): Uint8Array {
  const { tags = noExtras.tags, etag, loadMs = 0 } = extras;
  if (tags.length === 0 && etag === undefined && !(loadMs > 0)) return nothing;
  if (!tagsFit(tags)) throw tooManyTags(tags.length);
  const etagBytes = etag === undefined ? undefined : encodedEtag(etag);
  const length =
    (tags.length === 0 ? 0 : sectionHead + clockBytes + tagBytes(tags)) +
    (etagBytes === undefined ? 0 : sectionHead + etagBytes.length) +
    (loadMs > 0 ? sectionHead + loadTimeBytes : 0);
  const bytes = Buffer.alloc(Math.ceil(length / unitBytes) * unitBytes);
  let at = 0;
  if (tags.length > 0) at = writeTags(bytes, at, tags, extras);
  if (etagBytes !== undefined) {
    at = writeHead(bytes, at, types.etag, etagBytes.length);
    bytes.set(etagBytes, at);
    at += etagBytes.length;
  }
  if (loadMs > 0) {
    at = writeHead(bytes, at, types.loadTime, loadTimeBytes);
    // Up, so that a load of half a ms is told from none.
    bytes.writeUInt32BE(Math.min(Math.ceil(loadMs), 0xffffffff), at);
  }
  return bytes;
}

const nothing = new Uint8Array();

function writeTags(
  bytes: Buffer,
  from: number,
  tags: readonly string[],
  { era = 0, count = 0 }: Partial<Extras>,
): number {
  let at = writeHead(bytes, from, types.tags, clockBytes + tagBytes(tags));
  at = bytes.writeDoubleBE(era, at);
  at = bytes.writeDoubleBE(count, at);
  for (const tag of tags) {
    bytes[at] = tag.length;
    at += 1 + bytes.write(tag, at + 1, 'latin1');
  }
  return at;
}

function writeHead(bytes: Buffer, at: number, type: number, length: number): number {
  bytes[at] = type;
  return bytes.writeUInt16BE(length, at + 1);
}

function tagBytes(tags: readonly string[]): number {
  let bytes = 0;
  for (const tag of tags) bytes += 1 + tag.length;
  return bytes;
}

function encodedEtag(etag: string): Buffer {
  const bytes = Buffer.from(etag, 'utf8');
  if (bytes.length <= mostEtagBytes && bytes.toString('utf8') === etag) return bytes;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected an etag to be well-formed text of at most ${mostEtagBytes} bytes, got ${bytes.length} bytes.`,
  );
}

/** What to throw where `tagsFit` says no. */
export function tooManyTags(count: number): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    `Expected at most ${mostTags} tags, of 240 characters each and some 2,900 in all as they are stored, got ${count} that do not fit into an entry. Use fewer or shorter tags.`,
  );
}

/** Returns what stands in `bytes` from `start` to `end`, or `undefined` if it is not a list of sections. Never throws. */
export function readSections(bytes: Buffer, start: number, end: number): Extras | undefined {
  let tagged: Tagged | undefined = noExtras;
  let etag: string | undefined;
  let loadMs = 0;
  for (let at = start; at < end && bytes[at] !== types.padding;) {
    const from = at + sectionHead;
    if (from > end) return undefined;
    const type = bytes[at];
    const to = from + bytes.readUInt16BE(at + 1);
    if (to > end) return undefined;
    if (type === types.tags) tagged = readTags(bytes, from, to);
    else if (type === types.etag) etag = bytes.toString('utf8', from, to);
    else if (type === types.loadTime) {
      if (to - from !== loadTimeBytes) return undefined;
      loadMs = bytes.readUInt32BE(from);
    }
    if (tagged === undefined) return undefined;
    at = to;
  }
  return { tags: tagged.tags, era: tagged.era, count: tagged.count, etag, loadMs };
}

type Tagged = Pick<Extras, 'tags' | 'era' | 'count'>;

function readTags(bytes: Buffer, from: number, end: number): Tagged | undefined {
  if (end - from < clockBytes) return undefined;
  const era = bytes.readDoubleBE(from);
  const count = bytes.readDoubleBE(from + 8);
  // A clock that is no number would make every comparison with it false.
  if (!Number.isFinite(era) || !Number.isFinite(count)) return undefined;
  const tags: string[] = [];
  for (let at = from + clockBytes; at < end;) {
    const length = bytes[at] ?? 0;
    const next = at + 1 + length;
    if (length === 0 || next > end) return undefined;
    tags.push(bytes.toString('latin1', at + 1, next));
    at = next;
  }
  return tags.length === 0 ? undefined : { tags, era, count };
}
