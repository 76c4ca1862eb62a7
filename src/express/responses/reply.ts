/** Makes the answer to one request of an answer that is kept: all of it, a part, 304, 412 or 416. */

import type { Fields } from '../../http/fields.ts';
import { chooseCoding } from '../../http/negotiation.ts';
import { conditionalFields, evaluate } from '../../http/preconditions.ts';
import { contentRange, selectRange } from '../../http/ranges.ts';
import { type FieldLine, notModifiedFields } from '../../http/stored-fields.ts';
import type { StoredAnswer } from './stored.ts';

export interface Reply {
  readonly status: number;
  /** Empty where it is the usual one. */
  readonly statusText: string;
  readonly lines: readonly FieldLine[];
  /** In lower case: fields of earlier middleware that this answer goes without; `undefined` for none. */
  readonly removed?: readonly string[] | undefined;
  /** What `Content-Length` says; `undefined` where it says nothing. */
  readonly length: number | undefined;
  readonly body: Buffer | undefined;
}

/** The parts of a kept answer that a reply is made of. */
export type Source = Pick<
  StoredAnswer,
  'status' | 'statusText' | 'lines' | 'removed' | 'body' | 'etag' | 'lastModifiedMs' | 'dateMs' | 'coded'
>;

/** @param request the fields as the client sent them */
export function replyTo(source: Source, request: Fields): Reply {
  const selected = source.coded === undefined ? source : negotiated(source, source.coded, request);
  const { status, statusText, lines, removed, body } = selected;
  // RFC 9110 section 13.2.1: conditions count only where the answer without them is a good one.
  if (status !== 200 || !isConditional(request)) {
    return { status, statusText, lines, removed, length: status === 204 ? undefined : body.length, body };
  }
  return conditionalReply(selected, request);
}

/** RFC 9110 section 13.2.2. */
function conditionalReply(selected: Source, request: Fields): Reply {
  const { status, statusText, lines, removed, body } = selected;
  const condition = evaluate(request, selected);
  if (condition === 'not-modified') {
    const fewer = notModifiedFields(lines);
    return { status: 304, statusText: '', lines: fewer, removed, length: undefined, body: undefined };
  }
  if (condition === 'failed') return { status: 412, statusText: '', lines: [], length: 0, body: undefined };
  const range = selectRange(request, body.length, selected);
  if (range.kind === 'whole') return { status, statusText, lines, removed, length: body.length, body };
  const field: FieldLine = ['Content-Range', contentRange(range, body.length) ?? ''];
  if (range.kind === 'unsatisfiable') {
    return { status: 416, statusText: '', lines: [field], length: 0, body: undefined };
  }
  const part = body.subarray(range.start, range.end + 1);
  const others = lines.filter(([name]) => !ofTheWhole.has(name.toLowerCase()));
  return { status: 206, statusText: '', lines: [...others, field], removed, length: part.length, body: part };
}

/** RFC 9530 section 2: what a part has of these is that of the part. */
const ofTheWhole: ReadonlySet<string> = new Set(['content-digest', 'content-md5']);

function isConditional(request: Fields): boolean {
  for (const name of conditionalFields) if (request[name] !== undefined) return true;
  return false;
}

/** RFC 9110 section 12.5.3. A coding makes another representation: with its own entity tag (section 8.8.3.3). */
function negotiated(source: Source, coded: NonNullable<Source['coded']>, request: Fields): Source {
  const varying = [...source.lines, ['Vary', 'Accept-Encoding'] as const];
  // Who refuses both gets the plain one, as from a server that knows no codings.
  if (chooseCoding(request, [coded.coding, 'identity']) !== coded.coding) return { ...source, lines: varying };
  const lines = varying.map((line): FieldLine => {
    return line[0].toLowerCase() === 'etag' && coded.etag !== undefined ? ['ETag', coded.etag] : line;
  });
  return { ...source, lines: [...lines, ['Content-Encoding', coded.coding]], body: coded.body, etag: coded.etag };
}
