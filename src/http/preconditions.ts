/** Decides by the conditions of a request whether its answer is the whole one, 304 or 412. */

import { listsStrong, listsWeak } from './etag.ts';
import { fieldValue, type Fields, withoutSpace } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** Go on with the answer; the client has it already (304); what the client asks for is not what there is (412). */
export type Precondition = 'proceed' | 'not-modified' | 'failed';

/** The answer that the conditions are about. */
export interface Selected {
  /** The field's text. */
  readonly etag: string | undefined;
  /** `Last-Modified`, in epoch ms. */
  readonly lastModifiedMs: number | undefined;
  /** `Date`, or when the answer was received, in epoch ms. */
  readonly dateMs: number | undefined;
}

/** The request fields that ask for less than the whole answer. RFC 9110 sections 13.1 and 14.2. */
export const conditionalFields: readonly string[] = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
];

/** Says what a GET or HEAD request with these fields gets, when `selected` is the 200 answer to it. RFC 9110 section 13.2.2. */
export function evaluate(request: Fields, selected: Selected): Precondition {
  // Steps 1 and 2: If-Unmodified-Since counts only without If-Match.
  if (!(isMatched(request, selected) ?? isUnmodified(request, selected) ?? true)) return 'failed';
  // Steps 3 and 4: If-Modified-Since counts only without If-None-Match (also RFC 9111 section 4.3.2).
  return (isUnmatched(request, selected) ?? isModified(request, selected) ?? true) ? 'proceed' : 'not-modified';
}

/** RFC 9110 section 13.1.1, by the strong comparison; `undefined` without the field. */
function isMatched(request: Fields, { etag }: Selected): boolean | undefined {
  const list = fieldValue(request, 'if-match');
  return list === undefined ? undefined : isAny(list) || listsStrong(list, etag);
}

/** RFC 9110 section 13.1.2, by the weak comparison; `undefined` without the field. */
function isUnmatched(request: Fields, { etag }: Selected): boolean | undefined {
  const list = fieldValue(request, 'if-none-match');
  return list === undefined ? undefined : !isAny(list) && !listsWeak(list, etag);
}

function isAny(list: string): boolean {
  return withoutSpace(list) === '*';
}

/** RFC 9110 section 13.1.4: without a date in it, or without a date to compare it with, the field is ignored. */
function isUnmodified(request: Fields, { lastModifiedMs }: Selected): boolean | undefined {
  const since = parseHttpDate(fieldValue(request, 'if-unmodified-since'));
  return since === undefined || lastModifiedMs === undefined ? undefined : lastModifiedMs <= since;
}

/** RFC 9110 section 13.1.3; RFC 9111 section 4.3.2: without Last-Modified the stored Date decides. */
function isModified(request: Fields, { lastModifiedMs, dateMs }: Selected): boolean | undefined {
  const since = parseHttpDate(fieldValue(request, 'if-modified-since'));
  const changedAt = lastModifiedMs ?? dateMs;
  return since === undefined || changedAt === undefined ? undefined : changedAt > since;
}
