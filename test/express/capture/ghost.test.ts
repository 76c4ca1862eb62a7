/** Keeps the promises of a ghost: a handler that runs behind a finished answer finds a response like any other. */

import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import session from 'express-session';
import { afterEach, describe, expect, it } from 'vitest';
import { capture, type Course } from '../../../src/express/capture/capture.ts';
import { ghost, isGhost } from '../../../src/express/capture/ghost.ts';
import { until } from '../../kit/wait.ts';
import {
  appOf,
  bodyOf,
  exchange,
  type Framework,
  frameworks,
  type Handler,
  listen,
  type Parts,
  type Running,
} from './apps.ts';
import { collectGarbage } from './garbage.ts';
import { expressHandlers, handlers } from './handlers.ts';

const onFinished = createRequire(import.meta.url)('on-finished') as (
  res: ServerResponse,
  listener: (error: unknown) => void,
) => void;

const servers: Running[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((running) => running.close()));
});

async function start(listener: RequestListener): Promise<number> {
  const running = await listen(listener);
  servers.push(running);
  return running.port;
}

interface Lives extends Partial<Omit<Parts, 'middle' | 'handler'>> {
  /** The course in which the second life is heard; not at all if there is none. */
  readonly course?: Course;
  readonly handler: Handler;
}

/** Answers the client with "first", and then runs the handler with the same request and response. */
async function secondLife({ course, handler, framework = 'node:http', ...parts }: Lives) {
  const seen: unknown[] = [];
  const told: unknown[] = [];
  let response: ServerResponse | undefined;
  const port = await start(
    appOf({
      framework,
      compression: 'no',
      ...parts,
      middle: (req, res, next) => {
        response = res;
        res.on('finish', () => seen.push('first finish'));
        onFinished(res, () => seen.push('first finished'));
        res.setHeader('X-First', '1');
        res.writeHead(203, 'First');
        res.end('first');
        res.once('close', () =>
          setImmediate(() => {
            ghost(req, res);
            const ear = {
              head: (answered: { status: number; lines: unknown }, body: Buffer | undefined): Course => {
                told.push(['head', answered.status, body?.toString('latin1'), answered.lines]);
                return course ?? 'pass';
              },
              end: (body: Buffer) => told.push(['end', body.toString('latin1')]),
              lost: (why: string) => told.push(['lost', why]),
            };
            if (course !== undefined) capture(req, res, ear, { maxBodyBytes: 1_000_000 });
            next();
          }),
        );
      },
      handler: (req, res) => {
        res.once('finish', () => seen.push('finish'));
        res.once('close', () => seen.push('close'));
        onFinished(res, (error) => seen.push(['finished', error ?? undefined]));
        void handler(req, res, (what) => seen.push(what));
      },
    }),
  );
  const raw = await exchange(port, 'GET', '/');
  return { port, raw, seen, told, response: () => response };
}

/** Waits for the end of a life, and for what follows it in the same turn: a pipeline is told that it is done after `close`. */
async function closed(seen: readonly unknown[], what = 'the second life to end'): Promise<void> {
  await until(() => seen.includes('close'), { what });
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a second life', () => {
  it('begins with nothing of the first', async () => {
    const found: unknown[] = [];
    const { raw, seen, response } = await secondLife({
      compression: 'outer',
      outer: (_req, res, next) => {
        const end = res.end.bind(res);
        let ended = false;
        res.end = ((...args: Parameters<typeof end>) => {
          if (ended) return res;
          ended = true;
          return end(...args);
        }) as typeof res.end;
        Object.assign(res, { locals: { user: 7 } });
        next();
      },
      handler: (req, res, note) => {
        found.push(req.destroyed, req.closed, req.aborted, req.errored);
        res.once('prefinish', () => note('prefinish'));
        found.push(
          res.headersSent,
          res.writableEnded,
          res.finished,
          res.statusCode,
          res.statusMessage,
          res.getHeaders(),
        );
        found.push(res.destroyed, res.closed, res.writableFinished, res.listenerCount('close'), isGhost(res));
        found.push((res as unknown as { locals: unknown }).locals);
        res.writeHead(201, { 'X-Second': '2' });
        found.push(res.headersSent);
        res.end('second');
        found.push(res.writableEnded, res.writableFinished);
      },
    });
    expect(raw).toMatch(/^HTTP\/1.1 203 First/);
    expect(bodyOf(raw)).toBe('first');
    await closed(seen);
    expect(found).toEqual([
      // The request.
      false,
      false,
      false,
      null,
      // The state of the response.
      false,
      false,
      false,
      200,
      undefined,
      Object.create(null),
      // Its life.
      false,
      false,
      false,
      1,
      true,
      // What others have put on it.
      { user: 7 },
      // After the head, and after the end.
      true,
      true,
      false,
    ]);
    expect(seen).toEqual(['first finish', 'first finished', 'prefinish', 'finish', ['finished', undefined], 'close']);
    expect(response()?.writableFinished).toBe(true);
    expect(response()?.closed).toBe(true);
    expect(response()).toBeInstanceOf(ServerResponse);
  });

  it.each(frameworks)(
    'serves every handler as the first does, on %s',
    async (framework) => {
      const listeners = { ...handlers, ...(framework === 'node:http' ? {} : asHandlers(expressHandlers)) };
      for (const [name, handler] of Object.entries(listeners)) {
        const first: unknown[] = [];
        const port = await start(
          appOf({
            framework,
            compression: 'no',
            middle: (_req, _res, next) => next(),
            handler: (req, res) => {
              res.once('close', () => first.push('close'));
              void handler(req, res, (what) => first.push(what));
            },
          }),
        );
        const raw = await exchange(port, 'GET', '/');
        await closed(first, 'the first life to end');
        for (const course of [undefined, 'hold', 'drop'] as const) {
          const { seen, told } = await secondLife({ framework, handler, ...(course && { course }) });
          await closed(seen);
          const own = seen.filter((what) => !(what === 'finish' || String(what).startsWith('first') || isFinish(what)));
          expect([name, course, ...sorted(own)]).toEqual([name, course, ...sorted(first)]);
          if (course === 'hold') expect([name, course, told.at(-1)]).toEqual([name, course, ['end', bodyOf(raw)]]);
        }
      }
    },
    60_000,
  );

  it('works with sessions and other middleware that was put over the first', async () => {
    for (const framework of frameworks) {
      const outer = session({ secret: 'shh', resave: false, saveUninitialized: true });
      const { seen, told, raw } = await secondLife({
        framework,
        outer: outer as unknown as NonNullable<Parts['outer']>,
        course: 'hold',
        handler: (_req, res) => void res.end('second'),
      });
      await closed(seen);
      expect(raw).toContain('Set-Cookie: connect.sid');
      expect(told).toEqual([
        ['head', 200, 'second', []],
        ['end', 'second'],
      ]);
    }
  });

  it('may be followed by a third', async () => {
    const { seen } = await secondLife({
      handler: (req, res, note) => {
        res.end('second');
        res.once('close', () =>
          setImmediate(() => {
            ghost(req, res);
            note(res.headersSent);
            res.once('close', () => note('third'));
            res.end('third');
          }),
        );
      },
    });
    await until(() => seen.includes('third'), { what: 'the third life' });
    expect(seen.filter((what) => what === 'close' || what === false)).toHaveLength(2);
  });

  it.each(['pass', 'copy', 'hold', 'drop'] as const)('ends when the handler destroys it: %s', async (course) => {
    const { seen, told } = await secondLife({
      course,
      handler: async (_req, res, note) => {
        const broken = async function* () {
          yield 'a part';
          throw new Error('broken');
        };
        await pipeline(broken, res).catch((error: Error) => note(error.message));
      },
    });
    await until(() => seen.includes('broken'), { what: 'the pipeline to fail' });
    await closed(seen);
    expect(seen).not.toContain('finish');
    const hears = course === 'copy' || course === 'hold';
    expect(told.slice(1)).toEqual(hears ? [['lost', 'aborted']] : []);
  });
});

describe('the client of the first life', () => {
  async function ask(agent: Agent, port: number): Promise<string> {
    const asked = request({ port, host: '127.0.0.1', agent }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
    await once(answer, 'end');
    return body;
  }

  it('keeps its connection, whatever the handler does to it', async () => {
    const misdeeds: Handler[] = [
      (req) => void req.socket.destroy(),
      (req) => void req.socket.end(),
      (_req, res) => void res.socket?.destroy(new Error('gone')),
      (_req, res) => res.socket?.destroySoon(),
      (_req, res) => void res.destroy(new Error('gone')),
      (req, res) => {
        req.socket.write('garbage');
        req.socket.setTimeout(1);
        req.socket.pause();
        res.setTimeout(1);
        req.socket.cork();
        res.end('x');
      },
      (req, res) => {
        req.socket.on('data', () => undefined);
        req.socket.removeAllListeners();
        res.end('x');
      },
    ];
    for (const misdeed of misdeeds) {
      const seen: unknown[] = [];
      const port = await start((req, res) => {
        res.end('first');
        const { remotePort } = req.socket;
        seen.push(remotePort);
        res.once('close', () =>
          setImmediate(() => {
            ghost(req, res);
            seen.push(req.socket.remotePort === remotePort);
            res.once('close', () => seen.push('close'));
            void misdeed(req, res, () => undefined);
          }),
        );
      });
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      expect(await ask(agent, port)).toBe('first');
      await closed(seen);
      expect(await ask(agent, port)).toBe('first');
      await until(() => seen.filter((what) => what === 'close').length === 2, { what: 'the second request to end' });
      expect(seen[0]).toBe(seen[3]);
      expect(seen[1]).toBe(true);
      agent.destroy();
    }
  });

  it('is not cut off by the error handler of Express', async () => {
    for (const framework of ['Express 4', 'Express 5'] as Framework[]) {
      const { seen, told } = await secondLife({
        framework,
        course: 'hold',
        handler: (_req, res) => {
          res.write('a part');
          throw new Error('in the middle');
        },
      });
      await closed(seen);
      expect(told.at(-1)).toEqual(['lost', 'aborted']);
    }
  });
});

describe('a ghost that never ends', () => {
  it('is collected when nobody holds it', async () => {
    const ghosts: WeakRef<ServerResponse>[] = [];
    const port = await start((req, res) => {
      res.end('first');
      res.once('close', () =>
        setImmediate(() => {
          ghost(req, res);
          capture(req, res, { head: () => 'hold', end: () => undefined, lost: () => undefined }, { maxBodyBytes: 100 });
          res.once('close', () => undefined);
          res.write('never ends');
          ghosts.push(new WeakRef(res));
        }),
      );
    });
    for (let at = 0; at < 20; at += 1) await exchange(port, 'GET', '/');
    await until(
      () => {
        collectGarbage();
        return ghosts.length === 20 && ghosts.filter((kept) => kept.deref() !== undefined).length <= 1;
      },
      { what: 'the ghosts to be collected' },
    );
    expect(ghosts).toHaveLength(20);
  });
});

const sorted = (seen: readonly unknown[]) => seen.map(String).toSorted();
const isFinish = (what: unknown) => Array.isArray(what) && what[0] === 'finished';

function asHandlers(table: Readonly<Record<string, (res: Response) => unknown>>): Record<string, Handler> {
  return Object.fromEntries(
    Object.entries(table).map(([name, handler]) => [name, (_req, res) => handler(res as unknown as Response)]),
  );
}
