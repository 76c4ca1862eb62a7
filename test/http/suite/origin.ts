/** A server whose handler answers as the published suite's own, in a chosen form, behind a chosen middleware. */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  ServerResponse,
} from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';
import { type Answer, type Form, type Line, type Response, writeAnswer } from './forms.ts';

export const hosts = ['Express 5', 'Express 4', 'node:http'] as const;
export type Host = (typeof hosts)[number];

type Next = (error?: unknown) => void;
/** What stands before the handler; undefined for the control without a cache. */
export type Guard = (req: IncomingMessage, res: ServerResponse, next: Next) => unknown;

/** Answers one request itself, given the way to write and a way to fail. */
export type Script = (req: IncomingMessage, res: ServerResponse, ways: Ways) => void;
export interface Ways {
  /** Writes the answer in the form of this origin. */
  readonly write: (answer: Answer) => void;
  /** What an origin that hangs up is to a middleware: a handler that fails before it has answered. */
  readonly fail: () => void;
  /** The names of the fields that the client sent. */
  readonly sent: readonly string[];
}

export interface OriginOptions {
  readonly host: Host;
  readonly form: Form;
  readonly guard?: Guard | undefined;
}

export interface Origin {
  readonly url: string;
  /** Answers `/case/<name>` from now on. */
  play(name: string, script: Script): void;
  close(): Promise<void>;
}

/** Starts an origin on a free loopback port. */
export async function startOrigin({ host, form, guard }: OriginOptions): Promise<Origin> {
  const scripts = new Map<string, Script>();
  // Of a test that never came this far the suite has no state, and says so on the console.
  const asked = new Set<string | undefined>();
  const sent = new WeakMap<IncomingMessage, readonly string[]>();
  const handle = (req: IncomingMessage, res: Response, next: Next): void => {
    const [room = '', ...path] = new URL(req.url ?? '/', 'http://origin').pathname.split('/').slice(1);
    const ways: Ways = {
      write: (answer) => writeAnswer(res, answer, form),
      fail: () => next(new Error('The origin hung up.')),
      sent: sent.get(req) ?? [],
    };
    if (room === 'config') handleConfig(path, req, res);
    else if (room === 'state' && asked.has(path[0])) handleState(path, req, res);
    else if (room === 'test') {
      asked.add(path[0]);
      answerTest(path, req, ways);
    } else if (room === 'state') res.writeHead(404).end();
    else scripts.get(path[0] ?? '')?.(req, res, ways);
  };
  const guarded = (req: IncomingMessage, res: ServerResponse, next: Next): unknown => {
    sent.set(req, Object.keys(req.headers));
    return guard && /^\/(?:test|case)\//.test(req.url ?? '') ? guard(req, res, next) : next();
  };

  const server = createServer(listeners[host](guarded, handle));
  // A busy machine must not make it hang up between two requests.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    play: (name, script) => scripts.set(name, script),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Listen = (guard: Guard, handle: Guard) => RequestListener;

const express4: typeof express = createRequire(import.meta.url)('express4');

const listeners: Record<Host, Listen> = {
  'Express 5': (guard, handle) => express().set('env', 'test').use(guard).use(handle),
  'Express 4': (guard, handle) => express4().set('env', 'test').use(guard).use(handle),
  'node:http': (guard, handle) => (req, res) => {
    const next: Next = (error) => {
      if (error === undefined) handle(req, res, next);
      else if (res.headersSent) res.destroy();
      else {
        res.statusCode = 500;
        res.end('Internal Server Error');
      }
    };
    guard(req, res, next);
  },
};

/** A response that nobody reads, but that remembers how its fields were spelled. */
class Heard extends ServerResponse {
  readonly names = new Map<string, string>();
  override setHeader(name: string, value: number | string | readonly string[]): this {
    this.names.set(name.toLowerCase(), name);
    return super.setHeader(name, value);
  }
}

/** Lets the suite's own handler answer, and writes its answer in our form. */
function answerTest(path: readonly string[], req: IncomingMessage, { write, fail, sent }: Ways): void {
  const heard = new Heard(req);
  const end = (body?: string): ServerResponse => {
    const lines = Object.entries(heard.getHeaders()).map(([name, value = '']): Line => [
      heard.names.get(name) ?? name,
      typeof value === 'number' ? String(value) : value,
    ]);
    write({ status: heard.statusCode, lines, body: body === undefined ? undefined : asDeclared(heard, body) });
    return heard;
  };
  Object.defineProperty(heard, 'socket', { value: { destroy: fail } });
  Object.assign(heard, { end });
  handleTest(path, Object.create(req, { headers: { value: snapshot(req, sent) } }), heard);
}

/** What a cache may add to a request. */
const conditions = ['if-none-match', 'if-modified-since', 'if-range', 'range'];
/** These say who is asking. Whoever looks at them, or at all there are, while he makes an answer makes it for one alone. */
const identities = new Set(['authorization', 'cookie']);

/** The suite keeps the fields of a request and looks at them later: as the handler saw them. */
function snapshot({ headers }: IncomingMessage, sent: readonly string[]): IncomingHttpHeaders {
  const copy: IncomingHttpHeaders = {};
  for (const name of new Set([...sent, ...conditions])) {
    if (identities.has(name)) Object.defineProperty(copy, name, { enumerable: true, get: () => headers[name] });
    else if (headers[name] !== undefined) copy[name] = headers[name];
  }
  return copy;
}

/** Tests of Content-Length declare less than the handler writes: what counts is what a reader of the wire gets. */
function asDeclared(heard: ServerResponse, body: string): Buffer {
  return Buffer.from(body).subarray(0, Number(heard.getHeader('content-length') ?? Infinity));
}
