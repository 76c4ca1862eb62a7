/** Sends a reply: over what other middleware has set for this very request, and with what the cache has to say. */

import { appendCacheStatus } from '../http/cache-status.ts';
import { listMembers } from '../http/fields.ts';
import type { FieldLine } from '../http/stored-fields.ts';
import type { Reply } from './reply.ts';
import type { ResponseLike } from './request.ts';

/** The functions of a response that answer. */
export type Sender = Pick<ResponseLike, 'setHeader' | 'getHeader' | 'hasHeader' | 'writeHead' | 'end'>;

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
  for (const [name, value] of reply.lines) setField(res, name, value);
  if (reply.length !== undefined) res.setHeader('Content-Length', reply.length);
  if (notes.ageMs !== undefined) res.setHeader('Age', String(Math.floor(notes.ageMs / 1000)));
  addNotes(res, notes);
  if (reply.statusText === '') res.writeHead(reply.status);
  else res.writeHead(reply.status, reply.statusText);
  if (reply.body === undefined || !hasBody) res.end();
  else res.end(reply.body);
}

/** Adds what the cache has to say to an answer that it does not make. */
export function addNotes(res: Sender, { status, timing }: Pick<Notes, 'status' | 'timing'>): void {
  const earlier = res.getHeader('Cache-Status');
  res.setHeader('Cache-Status', earlier === undefined ? status : appendCacheStatus(String(earlier), status));
  if (timing === undefined) return;
  const timings = res.getHeader('Server-Timing');
  res.setHeader('Server-Timing', timings === undefined ? timing : `${String(timings)}, ${timing}`);
}

function setField(res: Sender, name: string, value: FieldLine[1]): void {
  const set = (given: FieldLine[1]) => res.setHeader(name, typeof given === 'string' ? given : [...given]);
  if (name.length !== 4 || name.toLowerCase() !== 'vary' || !res.hasHeader(name)) {
    set(value);
    return;
  }
  // What other middleware says of this request stays true, as does what the answer says.
  const members = [String(res.getHeader(name)), ...(typeof value === 'string' ? [value] : value)].flatMap(listMembers);
  const seen = new Set<string>();
  set(members.filter((member) => seen.size !== seen.add(member.toLowerCase()).size).join(', '));
}
