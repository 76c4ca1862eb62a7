/** Writes one answer in each of the ways in which handlers write answers. */

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/** A field with one value, or with one value a line. */
export type Line = readonly [name: string, value: string | readonly string[]];

export interface Answer {
  readonly status: number;
  readonly lines: readonly Line[];
  /** Absent: the answer has none. */
  readonly body?: Buffer | undefined;
}

export const forms = ['pipe', 'writeHead(object)', 'writeHead(array)', 'send', 'end'] as const;
export type Form = (typeof forms)[number];

/** The response as Express hands it over: `send` is there only with Express. */
export type Response = ServerResponse & { send?(body?: Buffer): unknown };

/** Sends `answer` in the given form. */
export function writeAnswer(res: Response, answer: Answer, form: Form): void {
  const { status, lines, body } = answer;
  // RFC 9112 section 6.3: a body in an unknown coding ends with the connection.
  if (lines.some(([name]) => name.toLowerCase() === 'transfer-encoding')) res.shouldKeepAlive = false;
  if (form === 'writeHead(object)') {
    res.writeHead(status, Object.fromEntries(lines.map(([name, value]) => [name, mutable(value)])));
    res.end(body);
    return;
  }
  if (form === 'writeHead(array)') {
    // Of a name that is repeated Node keeps the last line alone, where fields were set before: one name, with all its lines.
    res.writeHead(
      status,
      lines.flatMap(([name, value]) => [name, mutable(value)]),
    );
    res.end(body);
    return;
  }
  res.statusCode = status;
  for (const [name, value] of lines) res.setHeader(name, value);
  if (form === 'pipe' && body) Readable.from(halves(body)).pipe(res);
  else if (form === 'send' && res.send) res.send(body);
  else res.end(body);
}

function mutable(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

function halves(body: Buffer): Buffer[] {
  const middle = body.length >> 1;
  return [body.subarray(0, middle), body.subarray(middle)].filter((half) => half.length > 0);
}
