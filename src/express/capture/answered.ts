/** Reads what a handler says before the body: the status and the fields, in whichever form it says them. */

import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Fields } from '../../http/fields.ts';
import type { FieldLine } from '../../http/stored-fields.ts';
import type { ResponseLike } from '../request.ts';

export interface Answered {
  readonly status: number;
  /** The reason phrase, if the handler gave one. */
  readonly statusText: string | undefined;
  /** What the handler set or changed since the capture began, in the order and case in which it would be sent. */
  readonly lines: readonly FieldLine[];
  /** The same, by lower-case name. */
  readonly fields: Fields;
  /** What others had set before the capture began and the handler has taken off, in lower case. */
  readonly removed: readonly string[];
  /** Everything that would be sent, with what others had set before the capture began; by lower-case name. */
  readonly all: Fields;
}

/** The fields of a response by lower-case name, in the order in which they would be sent. */
export type FieldTable = ReadonlyMap<string, FieldLine>;

/** The arguments of one `writeHead`. */
export interface HeadCall {
  readonly status: number;
  readonly statusText: string | undefined;
  readonly lines: readonly FieldLine[];
}

/** Returns a copy of the fields that are set on `res` now. */
export function fieldsOf(res: ResponseLike): FieldTable {
  const table = new Map<string, FieldLine>();
  for (const name of rawNames(res)) table.set(name.toLowerCase(), [name, valueOf(res.getHeader(name))]);
  return table;
}

// Node has `getRawHeaderNames` on every outgoing message since 15.4; its types know it on requests only.
function rawNames(res: ResponseLike & { getRawHeaderNames?: () => string[] }): string[] {
  return res.getRawHeaderNames?.() ?? res.getHeaderNames();
}

/**
 * Reads the arguments of a `writeHead` in all forms: status, reason phrase, and fields as an object, a flat array or pairs.
 *
 * Returns `undefined` for anything that Node might refuse: let Node say so.
 */
export function readHead(args: readonly unknown[]): HeadCall | undefined {
  const status = Number(args[0]) | 0;
  if (status < 100 || status > 999) return undefined;
  const statusText = typeof args[1] === 'string' ? args[1] : undefined;
  try {
    if (statusText !== undefined) validateHeaderValue('status', statusText);
    const lines = readLines(statusText === undefined ? (args[2] ?? args[1]) : args[2]);
    return lines && { status, statusText, lines };
  } catch {
    return undefined;
  }
}

function readLines(fields: unknown): FieldLine[] | undefined {
  if (fields === undefined || fields === null) return [];
  if (typeof fields !== 'object') return undefined;
  const lines: FieldLine[] = [];
  for (const [name, value] of pairsOf(fields)) {
    if (typeof name !== 'string' || value === undefined) return undefined;
    const read = valueOf(value);
    validateHeaderName(name);
    for (const line of typeof read === 'string' ? [read] : read) validateHeaderValue(name, line);
    lines.push([name, read]);
  }
  return lines;
}

function pairsOf(fields: object): readonly (readonly [unknown, unknown])[] {
  if (!Array.isArray(fields)) return Object.entries(fields);
  const list: readonly unknown[] = fields;
  if (Array.isArray(list[0])) return list.map((pair) => (Array.isArray(pair) ? [pair[0], pair[1]] : [undefined, pair]));
  return Array.from({ length: Math.ceil(list.length / 2) }, (_, at) => [list[2 * at], list[2 * at + 1]]);
}

function valueOf(value: unknown): string | readonly string[] {
  return Array.isArray(value) ? value.map(String) : String(value);
}

/** Puts `lines` over `table`: a name that comes several times in `lines` keeps all its values. */
export function overlaid(table: FieldTable, lines: readonly FieldLine[]): FieldTable {
  if (lines.length === 0) return table;
  const named = new Map<string, FieldLine>();
  for (const [name, value] of lines) {
    const earlier = named.get(name.toLowerCase());
    named.set(name.toLowerCase(), earlier === undefined ? [name, value] : [earlier[0], [earlier[1], value].flat()]);
  }
  return new Map([...table, ...named]);
}

/** Says what the handler answers: `now` are all the fields as they would be sent, `before` those of the capture's beginning. */
export function answeredBy(
  head: HeadCall,
  statusText: string | undefined,
  now: FieldTable,
  before: FieldTable,
): Answered {
  const lines: FieldLine[] = [];
  for (const [key, line] of now) if (!isSame(line, before.get(key))) lines.push(line);
  const removed = Array.from(before.keys()).filter((key) => !now.has(key));
  return { status: head.status, statusText, lines, removed, fields: byName(lines), all: byName(now.values()) };
}

/** Tells whether two lines have the same value. */
export function isSame(one: FieldLine, other: FieldLine | undefined): boolean {
  if (other === undefined) return false;
  const [left, right] = [one[1], other[1]];
  if (typeof left === 'string' || typeof right === 'string') return left === right;
  return left.length === right.length && left.every((line, at) => line === right[at]);
}

function byName(lines: Iterable<FieldLine>): Fields {
  // Without a prototype: a field may be called "__proto__".
  const fields: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, value] of lines) fields[name.toLowerCase()] = value;
  return fields;
}
