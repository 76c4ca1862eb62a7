/** A browser that watches: an answer that stays open, and what came with it. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface EventSource {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** What came so far. */
  readonly events: readonly ServerEvent[];
  /** Lines that begin with a colon, which browsers pass over. */
  readonly comments: readonly string[];
  /** True when the answer has come to its end, or was cut off. */
  readonly ended: boolean;
  /** Closes the connection, as a closed tab does. */
  abort(): void;
}

export async function watch(url: string): Promise<EventSource> {
  const asking = request(url, { agent: false, headers: { Accept: 'text/event-stream' } });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  const events: ServerEvent[] = [];
  const comments: string[] = [];
  let ended = false;
  let rest = '';
  answer.setEncoding('utf8');
  answer.on('data', (text: string) => {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) read(part.split('\n'), events, comments);
  });
  answer.on('error', () => {});
  answer.once('close', () => {
    ended = true;
  });
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    comments,
    get ended() {
      return ended;
    },
    abort: () => asking.destroy(),
  };
}

function read(lines: readonly string[], events: ServerEvent[], comments: string[]): void {
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  comments.push(...lines.filter((line) => line.startsWith(':')));
  const data = fields.get('data');
  if (data !== undefined) events.push({ event: fields.get('event') ?? 'message', data: JSON.parse(data) });
}
