/** What sessions cost beside connect-redis: what a request asks of Redis, and what it costs the server that answers it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import express, { type Request, type RequestHandler } from 'express';
import session from 'express-session';
import { startRedis } from '../test/kit/servers.ts';
import { login, Redis, redisOn, sessions as preset, SessionStore } from './hotshelf.ts';
import type { LoadOrder, LoadReport } from './load.worker.ts';
import { compare, type Contender, type Effort, grid, type Result } from './measure.ts';
import { valueOf } from './remote.ts';
import { countingWire } from './wire.ts';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    views: number;
    profile: unknown;
  }
}

const secret = 'a secret that is long enough for production';
const connections = 16;
const sizes = { '1 KB': 1000, '20 KB': 20_000 } as const;

/** A way to have sessions on the Redis at a port. */
interface Way {
  readonly middleware: RequestHandler | undefined;
  login(req: Request): Promise<void>;
  close(): Promise<void>;
}

const expressSession = (store: session.Store) =>
  session({ store, secret, resave: false, saveUninitialized: false, name: 'sid' });

const ways: Readonly<Record<string, (port: number) => Promise<Way>>> = {
  'express-session, connect-redis': async (port) => {
    const client = new Redis(port);
    return {
      middleware: expressSession(new RedisStore({ client })),
      login: async (req) => {
        await called((done) => req.session.regenerate(done));
        req.session.userId = 'ada';
        await called((done) => req.session.save(done));
      },
      close: async () => client.disconnect(),
    };
  },
  'express-session, **SessionStore**': async (port) => {
    const backend = await redisOn(port);
    const middleware = expressSession(new SessionStore({ backend }));
    return { middleware, login: ours, close: () => backend.close() };
  },
  '**sessions()**': async (port) => {
    const backend = await redisOn(port);
    const middleware = preset({ backend, secret });
    return { middleware, login: ours, close: () => backend.close() };
  },
};

const ours = (req: Request) => login(req, { userId: 'ada' });

const none = async (): Promise<Way> => ({ middleware: undefined, login: async () => {}, close: async () => {} });

function called(run: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });
}

interface Site {
  readonly url: string;
  /** Begins a session with a profile of about so many bytes; returns its cookie. */
  begin(bytes: number): Promise<string>;
  close(): Promise<void>;
}

async function siteOf(way: Way): Promise<Site> {
  const app = express();
  if (way.middleware !== undefined) app.use(way.middleware);
  app.get('/begin/:bytes', (req, res) => {
    if (way.middleware !== undefined) {
      Object.assign(req.session, { views: 0, profile: valueOf(Number(req.params.bytes)) });
    }
    res.end();
  });
  // Whoever loses the session is not to be praised for his speed.
  const hasSession = (req: Request) => way.middleware === undefined || req.session.views !== undefined;
  app.get('/read', (req, res) => void res.status(hasSession(req) ? 200 : 401).end('read'));
  app.get('/write', (req, res) => {
    const isGood = hasSession(req);
    if (way.middleware !== undefined) req.session.views = (req.session.views ?? 0) + 1;
    res.status(isGood ? 200 : 401).end('written');
  });
  app.get('/login', (req, res, next) => void way.login(req).then(() => res.end('logged in'), next));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    begin: async (bytes) => (await ask(`${url}/begin/${bytes}`)).replace(/;.*/, ''),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await way.close();
    },
  };
}

/** Resolves with the cookie that was set. */
async function ask(url: string, cookie = ''): Promise<string> {
  const response = await fetch(url, { headers: { cookie } });
  await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  return response.headers.getSetCookie()[0] ?? '';
}

/** What one request asks of Redis. */
async function asked(): Promise<string> {
  const server = await startRedis();
  const wire = await countingWire(server);
  const rows: (string | number)[][] = [];
  for (const [name, open] of Object.entries(ways)) {
    const site = await siteOf(await open(wire.port));
    const cookie = await site.begin(1000);
    // The first of each teaches the server the scripts.
    for (const path of ['/read', '/write', '/login']) await ask(site.url + path, await site.begin(1000));
    const counts: string[] = [];
    for (const path of ['/read', '/write', '/login']) {
      const { commands, trips } = await wire.count(() => ask(site.url + path, cookie));
      counts.push(`${trips} (${commands})`);
    }
    rows.push([name, ...counts]);
    await site.close();
  }
  wire.close();
  await server.stop();
  const head = ['', 'a request that reads', 'that writes', 'a login'];
  return `### What it asks of Redis\n\nRound trips; in brackets the commands, with those inside scripts.\n\n${grid(head, rows)}\n`;
}

async function contenderOf(name: string, site: Site, path: string, bytes: number, client: ChildProcess) {
  const cookies = await Promise.all(Array.from({ length: connections }, () => site.begin(bytes)));
  let good = 0;
  const contender: Contender = {
    name,
    run: async (amount) => {
      const order: LoadOrder = { url: site.url + path, amount, connections, cookies };
      const answered = once(client, 'message') as Promise<[LoadReport]>;
      client.send(order);
      [{ good }] = await answered;
    },
    wrong: (amount) => (good === amount ? undefined : `${good} of ${amount} requests were answered`),
  };
  return contender;
}

/** Without the wall time: the client looks once a second whether it is done. */
function cpuTable(results: readonly Result[]): string {
  const rows = results.map(({ name, cpuNs, ratio }) => [name, (cpuNs / 1000).toFixed(1), ratio.toFixed(2)]);
  return grid(['', 'CPU µs/op', 'CPU ratio'], rows);
}

export async function sessions(effort: Effort): Promise<string> {
  const client = fork(new URL('./load.worker.ts', import.meta.url));
  await once(client, 'message');
  const server = await startRedis();
  const sites: [name: string, site: Site][] = [];
  for (const [name, open] of [['Express without sessions (floor)', none] as const, ...Object.entries(ways)]) {
    sites.push([name, await siteOf(await open(server.port))]);
  }
  const texts = [`## Sessions on Redis\n\n${await asked()}`];
  try {
    for (const [size, bytes] of Object.entries(sizes)) {
      for (const path of ['/read', '/write']) {
        const contenders: Contender[] = [];
        for (const [name, site] of sites) contenders.push(await contenderOf(name, site, path, bytes, client));
        const results = await compare(contenders, 2000, effort);
        const what = path === '/read' ? 'reads' : 'writes';
        texts.push(
          `### A request that ${what} a session of ${size}, ${connections} connections, CPU of the server\n\n${cpuTable(results)}\n`,
        );
      }
    }
  } finally {
    client.kill();
    for (const [, site] of sites) await site.close();
    await server.stop();
  }
  return texts.join('\n');
}
