/** Runs a handler behind `cacheResponses()` on a real server, and asks it as clients do. */

import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { type Cache, type CacheOptions, createCache } from 'hotshelf';
import { cacheResponses, type ResponseCacheOptions } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import { fakeClock, type FakeClock } from 'hotshelf/testing';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/support/clock.ts';

export const express4: typeof express = createRequire(import.meta.url)('express4');

export const frameworks = ['Express 5', 'Express 4', 'node:http'] as const;
export type Framework = (typeof frameworks)[number];

export type Handler = (req: Request, res: Response, next: NextFunction) => unknown;

export interface SiteParts {
  /** @default 'Express 5' */
  readonly framework?: Framework;
  /** Middleware before the cache. */
  readonly before?: readonly Handler[];
  /** The cache itself, or other middleware in its place. */
  readonly middle: Handler;
  /** Middleware between the cache and the handler. */
  readonly after?: readonly Handler[];
  readonly handler: Handler;
}

export interface Site {
  readonly server: Server;
  readonly port: number;
  ask(path?: string, fields?: Record<string, string | readonly string[]>, how?: How): Promise<Answer>;
}

export interface How {
  readonly method?: string;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly text: string;
  /** What the cache says of it, without its name. */
  readonly cached: string;
}

/** The listener of a server that runs these steps in turn, in the way of the framework. */
export function listenerOf(framework: Framework, steps: readonly Handler[]): RequestListener {
  if (framework !== 'node:http') {
    const app = (framework === 'Express 5' ? express : express4)().set('env', 'test').set('etag', false);
    for (const step of steps) app.use(step);
    return app;
  }
  return (req, res) => {
    const run = (index: number, error?: unknown): void => {
      if (error === undefined && index < steps.length) {
        // What Express adds is not there, and these steps use it only where they say so.
        steps[index]?.(req as Request, res as unknown as Response, (failed?: unknown) => run(index + 1, failed));
        return;
      }
      res.statusCode = error === undefined ? 404 : 500;
      res.end();
    };
    run(0);
  };
}

/** Starts a server that ends with the test. */
export async function serve(listener: RequestListener, options: ServerOptions = {}): Promise<Site> {
  const server = createServer({ keepAliveTimeout: 60_000, ...options }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, ask: (path, fields, how) => ask({ port, agent }, path, fields, how) };
}

export function start(
  { framework = 'Express 5', before = [], middle, after = [], handler }: SiteParts,
  options?: ServerOptions,
): Promise<Site> {
  return serve(listenerOf(framework, [...before, middle, ...after, handler]), options);
}

export async function ask(
  { port, agent }: { readonly port: number; readonly agent?: Agent },
  path = '/',
  fields: Record<string, string | readonly string[]> = {},
  { method = 'GET', body }: How = {},
): Promise<Answer> {
  const headers = { Host: 'site.example', ...fields };
  const req = request({ host: '127.0.0.1', port, path, method, headers, agent, maxHeaderSize: 1_048_576 });
  req.setTimeout(20_000, () => req.destroy(new Error(`No answer to ${method} ${path.slice(0, 100)}`)));
  if (body !== undefined) req.setHeader('Content-Length', Buffer.byteLength(body));
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const whole = Buffer.concat(await res.toArray());
  const cached = String(res.headers['cache-status'] ?? '').replace('hotshelf; ', '');
  const { statusCode: status = 0, statusMessage: statusText = '' } = res;
  return { status, statusText, headers: res.headers, body: whole, text: whole.toString(), cached };
}

/** A cache in memory under a clock that stands still. */
export function stillCache(options: Partial<CacheOptions> = {}): { cache: Cache; clock: FakeClock } {
  const clock = fakeClock();
  const cache = createCache({ backend: memory({ clock }), clock, ...options });
  onTestFinished(() => cache.close());
  return { cache, clock };
}

export interface CachedSite extends Site {
  readonly cache: Cache;
  readonly clock: FakeClock;
  /** How often the handler has run. */
  readonly runs: () => number;
}

/** A site whose handler is behind the cache, with a still clock. */
export async function cachedSite(
  handler: Handler,
  options: Omit<ResponseCacheOptions<Request>, 'cache'> = {},
  { time = 'still', ...parts }: Partial<SiteParts> & { readonly time?: 'still' | 'real' } = {},
  server?: ServerOptions,
): Promise<CachedSite> {
  const { cache, clock } = stillCache(time === 'real' ? { backend: memory(), clock: systemClock } : {});
  let runs = 0;
  const counted: Handler = (req, res, next) => {
    runs += 1;
    return handler(req, res, next);
  };
  const middle = cacheResponses<Request>({ cache, ...options });
  const site = await start({ ...parts, middle, handler: counted }, server);
  return { ...site, cache, clock, runs: () => runs };
}
