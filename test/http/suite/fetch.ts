/** Sends a request exactly as it is told, with nothing added of its own. */

import { Agent, type IncomingMessage, request } from 'node:http';

export interface Init {
  readonly method?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** A response as the published suite reads it: the fields of one name joined by a comma. */
export interface Fetched {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Map<string, string>;
  /** The 1xx responses that came before. */
  readonly interim: readonly { readonly status: number; readonly headers: IncomingMessage['headers'] }[];
  text(): Promise<string>;
}

export interface Fetcher {
  (url: string, init?: Init): Promise<Fetched>;
  close(): void;
}

/** Nothing that works takes so long, on the busiest machine. */
const deadlineMs = 30_000;

/** A `fetch` with connections of its own. Rejects when the server hangs up or takes more than thirty seconds. */
export function createFetch(): Fetcher {
  const agent = new Agent({ keepAlive: true });
  const fetch = (url: string, init: Init = {}): Promise<Fetched> =>
    new Promise((resolve, reject) => {
      const interim: { status: number; headers: IncomingMessage['headers'] }[] = [];
      const req = request(url, { agent, method: init.method ?? 'GET' }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const { statusCode = 0, statusMessage = '' } = res;
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: statusCode,
            statusText: statusMessage,
            headers: fieldsOf(res),
            interim,
            text: async () => text,
          });
        });
      });
      req.on('information', ({ statusCode, headers }) => interim.push({ status: statusCode, headers }));
      req.on('error', reject);
      req.setTimeout(deadlineMs, () => req.destroy(new Error(`No answer from ${url} within ${deadlineMs} ms`)));
      for (const [name, value] of init.headers ?? []) req.appendHeader(name, value);
      // Node frames the body of a DELETE only when it is told its length.
      if (init.body !== undefined) req.setHeader('Content-Length', Buffer.byteLength(init.body));
      req.end(init.body);
    });
  return Object.assign(fetch, { close: () => agent.destroy() });
}

function fieldsOf(res: IncomingMessage): Map<string, string> {
  const fields = new AnyCase();
  for (let at = 0; at < res.rawHeaders.length; at += 2) {
    fields.add(res.rawHeaders[at] ?? '', res.rawHeaders[at + 1] ?? '');
  }
  return fields;
}

/** Names without regard to case, like `Headers`, but with every value that came over the wire. */
class AnyCase extends Map<string, string> {
  add(name: string, value: string): void {
    const before = this.get(name);
    this.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }
  override has(name: string): boolean {
    return super.has(name.toLowerCase());
  }
}
