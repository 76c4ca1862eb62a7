/** Writes where a page ends as text for clients, and reads that again. */

import { createHash } from 'node:crypto';
import { HotshelfError } from '../../support/errors.ts';

/** The end of a page. */
export interface Cursor {
  /** The place of the board, below its scope: so the pages of a day go on after its end. */
  readonly place: string;
  /** The last score of the range that the page belongs to; `undefined` for a page without such an end. */
  readonly until: number | undefined;
  /** That of the facet. */
  readonly mark: string;
}

const checkBytes = 6;
const parts = /^([^\n]+)\n([^\n]*)\n(.+)$/s;

/**
 * Returns `cursor` as base64url.
 *
 * Its first bytes are a checksum, in which the scope is: what was changed, or comes from another board, is told apart.
 * Who computes that checksum himself only gets to other members of the board.
 */
export function writeCursor(scope: string, { place, until, mark }: Cursor): string {
  const text = Buffer.from(`${place}\n${until ?? ''}\n${mark}`);
  return Buffer.concat([checksum(scope, text), text]).toString('base64url');
}

/** Returns what `writeCursor` wrote for this scope; `undefined` for anything else. */
export function readCursor(scope: string, written: string): Cursor | undefined {
  const bytes = Buffer.from(written, 'base64url');
  const text = bytes.subarray(checkBytes);
  // Buffer.from passes over what is no base64url.
  if (bytes.toString('base64url') !== written || !checksum(scope, text).equals(bytes.subarray(0, checkBytes)))
    return undefined;
  const [, place, until, mark] = parts.exec(text.toString()) ?? [];
  if (place === undefined || mark === undefined) return undefined;
  return { place, until: until === '' ? undefined : Number(until), mark };
}

/** Shows nothing of the cursor, which has a member in it. */
export function foreignCursor(): HotshelfError {
  return new HotshelfError(
    'OPTION_INVALID',
    'Expected `after` to be the unchanged `next` of a page of this board and window; begin with its first page.',
  );
}

function checksum(scope: string, text: Buffer): Buffer {
  return createHash('sha256').update(`${scope}\n`).update(text).digest().subarray(0, checkBytes);
}
