/** One socket to one server: requests leave joined, replies come back in their order, and its end fails what is open. */

import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as SecureOptions } from 'node:tls';
import type { HotshelfError } from '../../src/support/errors.ts';
import { failureOf, notSent, outcomeUnknown } from './errors.ts';
import { at } from './protocol.ts';
import { Queue } from './queue.ts';
import { ReplyReader } from './replies.ts';

/** Something that waits for its reply. */
export interface Request {
  readonly opcode: number;
  /** Comes back in the reply. */
  readonly opaque: number;
  /** A quiet request is not answered where there is nothing to say. */
  readonly quiet: boolean;
  /** Takes a reply, or `undefined` in place of the one that a quiet request did not get; false if more will follow. */
  settle(reply: Buffer | undefined): boolean;
  fail(error: HotshelfError): void;
}

/** What `tls.connect` is given besides host and port. */
export type TlsOptions = Pick<SecureOptions, 'ca' | 'cert' | 'key' | 'servername'>;

export interface ConnectionOptions {
  /** Host and port, for messages. */
  readonly server: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly onOpen: () => void;
  /** Called once, after everything that waited was failed. */
  readonly onEnd: (reason: string) => void;
}

const keepAliveAfterMs = 30_000;
/** Below this, one copy is cheaper than a list of buffers. */
const joinBelowBytes = 64 * 1024;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #replies = new ReplyReader();
  readonly #waiting = new Queue<Request>();
  /** How many of those who wait, counted from the last, were not given to the socket yet. */
  #unsent = 0;
  #outgoing: Buffer[] = [];
  #outgoingBytes = 0;
  #ended = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { host, port, tls } = options;
    const socket = tls === undefined ? connectPlain({ host, port }) : connectTls({ ...tls, host, port });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveAfterMs);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (!this.#ended) options.onOpen();
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.end(failureOf(error)));
    socket.on('end', () => this.end('the server closed the connection'));
    socket.on('close', () => this.end('the connection was closed'));
  }

  /** True while no answer is awaited. */
  get isIdle(): boolean {
    return this.#waiting.length === this.#unsent;
  }

  /** Changes whenever the server was heard of. */
  get progress(): string {
    return `${this.#socket.connecting} ${this.#socket.bytesRead}`;
  }

  /** Puts requests in line; they leave with the next `flush`. `bytes` holds them all, in this order. */
  queue(bytes: Buffer, requests: readonly Request[]): void {
    for (const request of requests) this.#waiting.push(request);
    this.#unsent += requests.length;
    this.#outgoing.push(bytes);
    this.#outgoingBytes += bytes.length;
  }

  /** Gives what is in line to the socket, in one piece. */
  flush(): void {
    const outgoing = this.#outgoing;
    const [first] = outgoing;
    if (first === undefined || this.#ended) return;
    this.#outgoing = [];
    this.#unsent = 0;
    if (outgoing.length === 1) {
      this.#socket.write(first);
    } else if (this.#outgoingBytes < joinBelowBytes) {
      this.#socket.write(Buffer.concat(outgoing, this.#outgoingBytes));
    } else {
      this.#socket.cork();
      for (const bytes of outgoing) this.#socket.write(bytes);
      this.#socket.uncork();
    }
    this.#outgoingBytes = 0;
  }

  /** Destroys the socket and fails everything that waits. Nothing is sent again, here or on another connection. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    const { server } = this.#options;
    const unknown = outcomeUnknown(server, reason);
    const unsent = notSent(server, reason);
    for (let left = this.#waiting.length; left > 0; left -= 1) {
      this.#waiting.shift()?.fail(left > this.#unsent ? unknown : unsent);
    }
    this.#options.onEnd(reason);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    const understood = this.#replies.read(chunk, (reply) => this.#settle(reply));
    if (!understood) this.end('the server sent something that is not the binary protocol of Memcached');
  }

  /** Hands a reply to the request that it answers; false if there is none, after which the connection is no use. */
  #settle(reply: Buffer): boolean {
    const opaque = reply.readUInt32BE(at.opaque);
    for (let request = this.#waiting.peek(); request !== undefined; request = this.#waiting.peek()) {
      if (request.opaque === opaque && request.opcode === reply[at.opcode]) {
        if (request.settle(reply)) this.#waiting.shift();
        return !this.#ended;
      }
      // Replies come in order: a quiet request that was passed over will not be answered any more.
      if (!request.quiet) break;
      this.#waiting.shift();
      request.settle(undefined);
    }
    this.end('the server sent a reply that answers no request');
    return false;
  }
}
