/** Reads and writes structured fields by their grammar: Items, Lists and Dictionaries. RFC 9651. */

import { type Item, type Member, Reader } from './structured-reader.ts';

export type { BareItem, InnerList, Item, Member, Parameters } from './structured-reader.ts';

/** Returns the Item that the field is; `undefined` where it is none. RFC 9651 section 4.2.3. */
export function parseItem(text: string | undefined): Item | undefined {
  return parsed(text, (reader) => reader.item());
}

/** Returns the members of a List; none for an absent or empty field, `undefined` for any error. RFC 9651 section 4.2.1. */
export function parseList(text: string | undefined): Member[] | undefined {
  return parsed(text ?? '', (reader) => reader.list());
}

/**
 * Returns the members of a Dictionary, the last one of each key; none for an absent or empty field, `undefined` for any
 * error. RFC 9651 section 4.2.2.
 */
export function parseDictionary(text: string | undefined): Map<string, Member> | undefined {
  return parsed(text ?? '', (reader) => reader.dictionary());
}

/** RFC 9651 section 4.2: the spaces around the value are no part of it, and nothing may follow it. */
function parsed<T>(text: string | undefined, read: (reader: Reader) => T | undefined): T | undefined {
  if (text === undefined) return undefined;
  const reader = new Reader(text);
  reader.skipSpaces();
  const value = read(reader);
  reader.skipSpaces();
  return reader.atEnd ? value : undefined;
}

/** Returns the text of a String, without what a String cannot hold. RFC 9651 section 4.1.6. */
export function serializeString(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** Returns the text as a Token where it is one, else as a String. RFC 9651 sections 4.1.7 and 4.1.6. */
export function serializeTokenOrString(text: string): string {
  return isStructuredToken(text) ? text : serializeString(text);
}

/** Returns the number as an Integer: truncated, and at most 15 digits long. RFC 9651 section 4.1.4. */
export function serializeInteger(value: number): string {
  // "+ 0" makes -0 a 0.
  return String(Math.trunc(Math.min(largestInteger, Math.max(-largestInteger, value))) + 0);
}

/** True for a Token, which starts with a letter or "*". RFC 9651 section 3.3.4. */
export function isStructuredToken(text: string): boolean {
  return /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(text);
}

const largestInteger = 999_999_999_999_999;
