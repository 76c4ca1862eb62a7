/** Reads header fields: what is the whole value of one, and which members does a list have? */

/** A field as Node gives it: one line, a number, or several lines. */
export type FieldValue = string | number | readonly string[] | undefined;

/** Header fields by lower-case name, as `req.headers` and `res.getHeaders()` give them. */
export type Fields = Readonly<Record<string, FieldValue>>;

export interface RequestHead {
  /** Case-sensitive, as received (RFC 9110 section 9.1). */
  readonly method: string;
  readonly fields: Fields;
}

export interface ResponseHead {
  readonly status: number;
  readonly fields: Fields;
}

/**
 * Returns the value of the field `name`, which is in lower case; `undefined` if it is absent, `''` if it is there and empty.
 *
 * RFC 9110 section 5.3: several lines of one name are one value, joined by ", ".
 */
export function fieldValue(fields: Fields, name: string): string | undefined {
  const value: unknown = fields[name];
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  // Anything else comes from the prototype of a plain object: a field may be called "constructor".
  return Array.isArray(value) ? value.join(', ') : undefined;
}

/**
 * Returns the members of a comma-separated list: without the white space around them, without empty ones.
 *
 * RFC 9110 section 5.6.1: a comma inside a quoted string separates nothing. A quoted string that never ends takes the rest.
 */
export function listMembers(value: string | undefined): string[] {
  const members: string[] = [];
  if (value === undefined) return members;
  let from = 0;
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === doubleQuote) quoted = !quoted;
    else if (code === backslash && quoted) at++;
    else if (code === comma && !quoted) {
      addMember(members, value, from, at);
      from = at + 1;
    }
  }
  addMember(members, value, from, value.length);
  return members;
}

function addMember(members: string[], value: string, from: number, to: number): void {
  const member = withoutSpace(value, from, to);
  if (member !== '') members.push(member);
}

/** Returns `text` from `from` to `to` without the spaces and tabs around it (OWS, RFC 9110 section 5.6.3). */
export function withoutSpace(text: string, from = 0, to = text.length): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** True for a token. RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return token.test(text);
}

const token = /^[\w!#$%&'*+.^`|~-]+$/;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const doubleQuote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
