/** Answers that stay open and tell what is new: server-sent events, as the HTML standard has them (section 9.2). */

import type { ServerResponse } from 'node:http';

/** Proxies close what is silent, and a client that is gone is noticed only when it is written to. */
const heartbeatMs = 15_000;
/** A browser comes back after so long. */
const retryMs = 2000;

export class EventStreams {
  readonly #open = new Set<EventStream>();
  readonly #heartbeatMs: number;
  #heart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: { readonly heartbeatMs?: number | undefined } = {}) {
    this.#heartbeatMs = options.heartbeatMs ?? heartbeatMs;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Begins an answer. `start` gets what to tell news with, and returns what ends them: that is called once, when the client has
   * gone or `close` was called.
   */
  begin(response: ServerResponse, start: (tell: (event: string, data: unknown) => void) => () => void): void {
    // The client did not wait for its turn.
    if (response.destroyed) return;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      // Nginx would keep it until there is more.
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry: ${retryMs}\n\n`);
    const stream = new EventStream(response);
    const end = start((event, data) => stream.tell(event, data));
    this.#open.add(stream);
    this.#heart ??= setInterval(() => this.#beat(), this.#heartbeatMs).unref();
    response.once('close', () => {
      end();
      this.#open.delete(stream);
      if (this.#open.size === 0) this.#rest();
    });
    if (this.#closed) stream.end();
  }

  /** Ends all of them; their clients come back, to another instance if this one is leaving. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#open) stream.end();
  }

  #beat(): void {
    for (const stream of this.#open) stream.beat();
  }

  #rest(): void {
    clearInterval(this.#heart);
    this.#heart = undefined;
  }
}

class EventStream {
  readonly #response: ServerResponse;
  /** What a client that reads slowly has not been told yet. */
  #latest: string | undefined;
  /** True if it had to read before the last heartbeat could be sent, and has not read since. */
  #stands = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('drain', () => {
      this.#stands = false;
      this.#catchUp();
    });
  }

  /** Each event tells everything anew: of those that wait for a slow client only the last one is worth sending. */
  tell(event: string, data: unknown): void {
    this.#latest = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    if (!this.#response.writableNeedDrain) this.#catchUp();
  }

  /** A comment, which clients pass over. Who reads nothing from one to the next is gone. */
  beat(): void {
    if (!this.#isOpen) return;
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n');
    else if (this.#stands) this.#response.destroy();
    else this.#stands = true;
  }

  end(): void {
    this.#response.end();
  }

  #catchUp(): void {
    if (this.#latest !== undefined && this.#isOpen) this.#response.write(this.#latest);
    this.#latest = undefined;
  }

  get #isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }
}
