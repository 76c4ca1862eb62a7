/** Decides which part of a whole stored body a request wants. */

import { strongMatch } from './etag.ts';
import { fieldValue, type Fields, listMembers, withoutSpace } from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import type { Selected } from './preconditions.ts';

export type RangeAnswer =
  /** The field is absent, not understood, or does not hold: 200. */
  | { readonly kind: 'whole' }
  /** 206; `end` is the position of the last byte. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  /** 416. */
  | { readonly kind: 'unsatisfiable' };

/**
 * Says what a GET request with these fields gets of a 200 answer whose body has `length` bytes.
 *
 * Several ranges at once get the whole answer, as RFC 9110 section 14.2 lets a server do with any Range.
 */
export function selectRange(request: Fields, length: number, selected: Selected): RangeAnswer {
  const range = fieldValue(request, 'range');
  if (range === undefined || !holds(fieldValue(request, 'if-range'), selected)) return whole;
  const spec = onlySpec(range);
  return spec === undefined ? whole : cut(spec, length);
}

const whole: RangeAnswer = { kind: 'whole' };
const unsatisfiable: RangeAnswer = { kind: 'unsatisfiable' };

/** RFC 9110 section 13.1.5. */
function holds(ifRange: string | undefined, { etag, lastModifiedMs, dateMs }: Selected): boolean {
  if (ifRange === undefined) return true;
  // An entity tag has a quote among its first three characters, a date never.
  if (ifRange.slice(0, 3).includes('"')) return strongMatch(ifRange, etag);
  if (lastModifiedMs === undefined || dateMs === undefined) return false;
  // RFC 9110 section 8.8.2.2: a date is a strong validator if the answer was made at least a second after it.
  return dateMs - lastModifiedMs >= 1000 && parseHttpDate(ifRange) === lastModifiedMs;
}

/** RFC 9110 section 14.1.1: the range that `bytes=…` names, if it is one. Empty members of the list do not count. */
function onlySpec(range: string): string | undefined {
  const equals = range.indexOf('=');
  // Range units are case-insensitive: RFC 9110 section 14.1.
  if (equals === -1 || withoutSpace(range, 0, equals).toLowerCase() !== 'bytes') return undefined;
  const specs = listMembers(range.slice(equals + 1));
  return specs.length === 1 ? specs[0] : undefined;
}

/** RFC 9110 section 14.1.2. */
function cut(spec: string, length: number): RangeAnswer {
  const dash = spec.indexOf('-');
  const first = spec.slice(0, dash);
  const last = spec.slice(dash + 1);
  if (dash === -1 || !digits.test(first) || !digits.test(last)) return whole;
  if (first === '') return last === '' ? whole : suffix(Number(last), length);
  const start = Number(first);
  const end = last === '' ? Infinity : Number(last);
  // A range that ends before it begins is invalid, and an invalid Range is ignored.
  if (end < start) return whole;
  return start < length ? { kind: 'part', start, end: Math.min(end, length - 1) } : unsatisfiable;
}

const digits = /^\d*$/;

function suffix(wanted: number, length: number): RangeAnswer {
  if (wanted === 0) return unsatisfiable;
  // The last bytes of an empty body are all it has; a part of no bytes cannot be written.
  return length === 0 ? whole : { kind: 'part', start: Math.max(0, length - wanted), end: length - 1 };
}

/**
 * Returns the value of `Content-Range` for an answer about a body of `length` bytes; `undefined` if it is the whole one.
 *
 * @example
 * contentRange({ kind: 'part', start: 0, end: 1 }, 10); // 'bytes 0-1/10'
 */
export function contentRange(answer: RangeAnswer, length: number): string | undefined {
  if (answer.kind === 'whole') return undefined;
  // RFC 9110 section 14.4.
  return answer.kind === 'part' ? `bytes ${answer.start}-${answer.end}/${length}` : `bytes */${length}`;
}
