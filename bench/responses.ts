/** Measures what a hit of the response cache costs the server, beside the handler without it and beside kept bytes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import { startRedis } from '../test/kit/servers.ts';
import { cacheResponses, createCache, memory, redisOn, responseFront } from './hotshelf.ts';
import { installed, type Module } from './installed.ts';
import type { LoadOrder, LoadReport } from './load.worker.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';

const path = '/report';
const connections = 16;
/** About 10 KB of JSON. */
const report = {
  rows: Array.from({ length: 150 }, (_, id) => ({
    id,
    name: `city ${id}`,
    lat: id / 7,
    lon: -id / 3,
    people: id * 1009,
  })),
};
const bytes = Buffer.from(JSON.stringify(report));

const handler: RequestHandler = (_req, res) => {
  res.json(report);
};

/** Ends with bytes that are at hand: nothing that answers in this place can be cheaper. */
const kept: RequestListener = (_req, res) => {
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
};

function app(...handlers: RequestHandler[]): Express {
  const made = express();
  made.get(path, ...handlers);
  return made;
}

interface Open {
  readonly contender: Contender;
  close(): Promise<void>;
}

async function open(name: string, listener: RequestListener, client: ChildProcess, prepare?: (server: Server) => void) {
  const server = createServer(listener);
  prepare?.(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;
  let good = 0;
  const contender: Contender = {
    name,
    before: async () => {
      await fetch(url);
      await fetch(url);
    },
    run: async (amount) => {
      const order: LoadOrder = { url, amount, connections };
      const answered = once(client, 'message') as Promise<[LoadReport]>;
      client.send(order);
      [{ good }] = await answered;
    },
    wrong: (amount) => (good === amount ? undefined : `${good} of ${amount} requests were answered`),
  };
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { contender, close } satisfies Open;
}

export async function responses(effort: Effort): Promise<string> {
  const client = fork(new URL('./load.worker.ts', import.meta.url));
  await once(client, 'message');
  const redis = await startRedis();
  const backend = await redisOn(redis.port);
  const inMemory = createCache({ backend: memory() });
  const onRedis = createCache({ backend });
  const near = createCache({ backend, prefix: 'near', local: true });
  const front = cacheResponses({ cache: inMemory, name: 'front', ttl: '1h', public: true });
  const peers = await installed('apicache');
  const opened = [
    await open('kept bytes behind Express (floor)', app(kept as RequestHandler), client),
    await open('the handler', app(handler), client),
    await open('**cacheResponses**, memory', app(cacheResponses({ cache: inMemory, ttl: '1h' }), handler), client),
    await open(
      '**cacheResponses**, Redis, local tier',
      app(cacheResponses({ cache: near, ttl: '1h' }), handler),
      client,
    ),
    await open('**cacheResponses**, Redis', app(cacheResponses({ cache: onRedis, ttl: '1h' }), handler), client),
    await open('apicache, memory', app(apicache(peers), handler), client),
    await open('kept bytes, node:http alone', kept, client),
    await open('**responseFront**, memory', app(front, handler), client, (server) =>
      responseFront(server, { routes: [front] }),
    ),
  ];
  try {
    const results = await compare(
      opened.map(({ contender }) => contender),
      4000,
      effort,
    );
    return `## Responses: a hit of ${bytes.length} bytes of JSON, ${connections} connections, CPU of the server\n\n${table(results, 'µs')}\n`;
  } finally {
    client.kill();
    for (const one of opened) await one.close();
    for (const cache of [inMemory, onRedis, near]) await cache.close();
    await backend.close();
    await redis.stop();
  }
}

function apicache(peers: Module): RequestHandler {
  const { middleware } = peers['default'] as { readonly middleware: (duration: string) => RequestHandler };
  return middleware('1 hour');
}
