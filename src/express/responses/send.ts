/** Sends a reply: over what other middleware has set for this very request, and with what the cache has to say. */

import { appendCacheStatus } from '../../http/cache-status.ts';
import { listMembers } from '../../http/fields.ts';
import type { FieldLine } from '../../http/stored-fields.ts';
import type { Reply } from './reply.ts';
import type { ResponseLike } from '../request.ts';

/** The functions of a response that answer. */
export type Sender = Pick<
  ResponseLike,
  'setHeader' | 'removeHeader' | 'getHeader' | 'hasHeader' | 'getHeaderNames' | 'writeHead' | 'end'
>;

/** What the cache adds. */
export interface Notes {
  /** A member of `Cache-Status`. */
  readonly status: string;
  /** In ms; `undefined` for what came from the handler just now. RFC 9111 section 5.1. */
  readonly ageMs: number | undefined;
  /** A member of `Server-Timing`. */
  readonly timing?: string | undefined;
}

/** @param hasBody false for HEAD: RFC 9110 section 9.3.2 */
export function sendReply(res: Sender, reply: Reply, notes: Notes, hasBody: boolean): void {
  // Node takes a list as it is if nothing was set before: that costs a third.
  const isFirst = res.getHeaderNames().length === 0;
  if (isFirst && !has(reply.lines, 'cache-status') && !has(reply.lines, 'server-timing')) sendList(res, reply, notes);
  else sendOver(res, reply, notes);
  if (reply.body === undefined || !hasBody) res.end();
  else res.end(reply.body);
}

function sendList(res: Sender, { status, statusText, lines, length }: Reply, notes: Notes): void {
  const list: (string | string[])[] = [];
  for (const [name, value] of lines) list.push(name, typeof value === 'string' ? value : [...value]);
  if (length !== undefined) list.push('Content-Length', String(length));
  if (notes.ageMs !== undefined) list.push('Age', ageSeconds(notes.ageMs));
  list.push('Cache-Status', notes.status);
  if (notes.timing !== undefined) list.push('Server-Timing', notes.timing);
  // As a string array, which Node's types want; lists of values in it go on as they are.
  if (statusText === '') res.writeHead(status, list as string[]);
  else res.writeHead(status, statusText, list as string[]);
}

function sendOver(res: Sender, { status, statusText, lines, removed, length }: Reply, notes: Notes): void {
  for (const name of removed ?? []) res.removeHeader(name);
  for (const [name, value] of lines) {
    if (name.length === 4 && name.toLowerCase() === 'vary' && res.hasHeader(name)) mergeVary(res, value);
    else res.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  if (length !== undefined) res.setHeader('Content-Length', length);
  if (notes.ageMs !== undefined) res.setHeader('Age', ageSeconds(notes.ageMs));
  addNotes(res, notes);
  if (statusText === '') res.writeHead(status);
  else res.writeHead(status, statusText);
}

function ageSeconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}

function has(lines: readonly FieldLine[], lower: string): boolean {
  return lines.some(([name]) => name.length === lower.length && name.toLowerCase() === lower);
}

/** Adds what the cache has to say to an answer that it does not make. */
export function addNotes(
  res: Pick<Sender, 'getHeader' | 'setHeader'>,
  { status, timing }: Pick<Notes, 'status' | 'timing'>,
): void {
  const earlier = res.getHeader('Cache-Status');
  res.setHeader('Cache-Status', earlier === undefined ? status : appendCacheStatus(String(earlier), status));
  if (timing === undefined) return;
  const timings = res.getHeader('Server-Timing');
  res.setHeader('Server-Timing', timings === undefined ? timing : `${String(timings)}, ${timing}`);
}

/** What other middleware says of this request stays true, as does what the answer says. */
function mergeVary(res: Sender, value: FieldLine[1]): void {
  const members = [String(res.getHeader('Vary')), value].flat().flatMap(listMembers);
  const seen = new Set<string>();
  const once = members.filter((member) => seen.size !== seen.add(member.toLowerCase()).size);
  res.setHeader('Vary', once.join(', '));
}
