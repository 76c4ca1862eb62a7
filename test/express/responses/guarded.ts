/** Runs handlers behind a guard that notices who is asking, on Express 5, Express 4 and `node:http`. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { type IdentityWatch, watchIdentity } from '../../../src/express/responses/identity.ts';

export const express4: typeof express = createRequire(import.meta.url)('express4');

export type Handle = (req: Request, res: express.Response, next: express.NextFunction) => void;

/** As the cache does it: what stands around the handler is not noticed. */
export function guard(watches: IdentityWatch[]): Handle {
  return (req, res, next) => {
    const watch = watchIdentity(req);
    watches.push(watch);
    const former = { writeHead: res.writeHead.bind(res), end: res.end.bind(res) };
    res.writeHead = (...values: unknown[]) => watch.pause(() => Reflect.apply(former.writeHead, res, values));
    res.end = (...values: unknown[]) => watch.pause(() => Reflect.apply(former.end, res, values));
    res.on('finish', () => watch.end());
    next();
  };
}

/** How an app is put together: what stands before the guard, and behind it. */
export interface Chain {
  readonly before?: readonly Handle[];
  readonly after?: readonly Handle[];
}

export const frameworks = ['Express 5', 'Express 4', 'node:http'] as const;

export function listener(framework: (typeof frameworks)[number], handles: readonly Handle[]): RequestListener {
  if (framework !== 'node:http') {
    const app = (framework === 'Express 5' ? express : express4)().set('env', 'test');
    for (const handle of handles) app.use(handle);
    return app;
  }
  return (req, res) => {
    const run = (index: number): void => {
      // What Express adds is not there, and none of these handlers needs it.
      handles[index]?.(req as Request, res as express.Response, () => run(index + 1));
    };
    run(0);
  };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
  /** What was noticed. */
  readonly personal: string | undefined;
}

export async function ask(
  framework: (typeof frameworks)[number],
  handle: Handle,
  { before = [], after = [] }: Chain = {},
  requests: readonly Record<string, string>[] = [{}],
): Promise<Answer[]> {
  const watches: IdentityWatch[] = [];
  const server = createServer(listener(framework, [...before, guard(watches), ...after, handle]));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answers: Answer[] = [];
  try {
    for (const headers of requests) {
      const request = send({ port, host: '127.0.0.1', path: '/x?q=1', headers });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const text = (await answer.toArray()).join('');
      answers.push({
        status: answer.statusCode ?? 0,
        text,
        headers: answer.headers,
        personal: watches.at(-1)?.personal,
      });
    }
  } finally {
    server.close();
  }
  return answers;
}

export const signedIn = {
  cookie: 'sid=1',
  authorization: 'Basic YTpi',
  'proxy-authorization': 'Basic YTpi',
  'x-api-key': 'k',
};

export async function askPlainly(
  framework: (typeof frameworks)[number],
  handles: readonly Handle[],
  requests: readonly Record<string, string>[],
): Promise<string[]> {
  const failures: unknown[] = [];
  const safe = handles.map((handle): Handle => (req, res, next) => {
    try {
      handle(req, res, next);
    } catch (error) {
      failures.push(error);
      res.end();
    }
  });
  const server = createServer(listener(framework, safe));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const texts: string[] = [];
  try {
    for (const headers of requests) {
      const request = send({ port, host: '127.0.0.1', path: '/x?q=1', headers });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      texts.push((await answer.toArray()).join(''));
    }
  } finally {
    server.close();
  }
  if (failures.length > 0) throw failures[0];
  return texts;
}
