/** The front: one HTTP server that gives requests to the instances in turn. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { within } from './deadline.ts';
import { sendProblem } from './problem.ts';

/** Answers requests: an Express app, or another process. */
export type Target = (request: IncomingMessage, response: ServerResponse) => void;

export class Front {
  readonly #targets: Target[] = [];
  readonly #server = createServer((request, response) => this.#pass(request, response));
  #turn = 0;
  #draining = false;

  add(target: Target): void {
    this.#targets.push(target);
  }

  remove(target: Target): void {
    const index = this.#targets.indexOf(target);
    if (index >= 0) this.#targets.splice(index, 1);
  }

  /** Listens; resolves with the port, which is another one if `port` is 0. Requests that come before a target get 503. */
  async listen(port: number, host?: string): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and lets requests finish; those that still run after `ms` are cut off. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    await within(ms, closed, undefined);
    this.#server.closeAllConnections();
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    if (this.#draining) response.setHeader('Connection', 'close');
    // A connection whose request was running when the drain began is idle only now.
    response.once('close', () => {
      if (this.#draining) setImmediate(() => this.#server.closeIdleConnections());
    });
    const target = this.#targets[this.#turn % this.#targets.length];
    this.#turn += 1;
    if (target !== undefined) target(request, response);
    else sendProblem(response, 503, request.url ?? '/', 'No instance is ready yet.');
  }
}
