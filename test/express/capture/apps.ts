/** Serves one handler behind a capture in every kind of server, and reads the bytes of the answer. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import compression from 'compression';
import express, { type Request, type RequestHandler, type Response } from 'express';

const express4: typeof express = createRequire(import.meta.url)('express4');

export const frameworks = ['node:http', 'Express 4', 'Express 5'] as const;
export type Framework = (typeof frameworks)[number];

export const compressions = ['no', 'outer', 'inner'] as const;
export type Compression = (typeof compressions)[number];

export type Handler = (req: IncomingMessage, res: ServerResponse, seen: (what: unknown) => void) => unknown;
type Step = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

export interface Parts {
  readonly framework: Framework;
  readonly compression: Compression;
  /** The capture, or other middleware around the handler. */
  readonly middle: Step;
  readonly handler: RequestListener;
  /** Middleware before everything else. */
  readonly outer?: Step;
}

/** Puts the parts together, in the order of the framework. */
export function appOf({ framework, compression: place, middle, handler, outer }: Parts): RequestListener {
  const compress = compression({ threshold: 0 }) as unknown as Step;
  const steps = [
    ...(outer === undefined ? [] : [outer]),
    ...(place === 'outer' ? [compress] : []),
    middle,
    ...(place === 'inner' ? [compress] : []),
  ];
  if (framework === 'node:http') {
    return (req, res) => {
      const run = (at: number): void => {
        const step = steps[at];
        if (step === undefined) handler(req, res);
        else step(req, res, () => run(at + 1));
      };
      run(0);
    };
  }
  const app = (framework === 'Express 5' ? express : express4)();
  app.set('env', 'test');
  app.use(...(steps as unknown as RequestHandler[]));
  app.use((req: Request, res: Response) => handler(req, res as unknown as ServerResponse & { req: IncomingMessage }));
  return app;
}

export interface Running {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(listener: RequestListener): Promise<Running> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends one request and returns everything that comes until the server closes the connection, without the `Date`. */
export async function exchange(port: number, method: string, path: string, fields = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n${fields}\r\n`);
  await once(socket, 'close');
  return Buffer.concat(chunks)
    .toString('latin1')
    .replace(/^Date: .*\r\n/m, '');
}

/** Takes the chunks of a body together: how it was cut is chance where it was compressed. */
export function joined(raw: string): string {
  const start = headEnd(raw);
  if (!raw.slice(0, start).includes('Transfer-Encoding: chunked')) return raw;
  let rest = raw.slice(start);
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (!(size > 0)) return `${raw.slice(0, start)}${body}|${rest}`;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}

/** Returns the body of an answer as it was before it was cut in chunks. */
export function bodyOf(raw: string): string {
  const whole = joined(raw);
  return whole === raw ? raw.slice(headEnd(raw)) : whole.slice(headEnd(raw), whole.lastIndexOf('|'));
}

/** Where the head of the answer itself ends: after those with status 1xx. */
function headEnd(raw: string): number {
  let start = 0;
  while (/^HTTP\/1\.1 1\d\d /.test(raw.slice(start, start + 13))) start = raw.indexOf('\r\n\r\n', start) + 4;
  return raw.indexOf('\r\n\r\n', start) + 4;
}
