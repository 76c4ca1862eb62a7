/** Keeps the promises of a capture: what the ear hears and when, and what becomes of the answer. */

import { once } from 'node:events';
import { OutgoingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import session from 'express-session';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Answered,
  capture,
  type Capture,
  type CaptureOptions,
  type Ear,
} from '../../../src/express/capture/capture.ts';
import { until } from '../../kit/wait.ts';
import { collectGarbage } from './garbage.ts';
import { appOf, bodyOf, exchange, frameworks, type Handler, listen, type Parts, type Running } from './apps.ts';

const servers: Running[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((running) => running.close()));
});

async function start(listener: RequestListener): Promise<number> {
  const running = await listen(listener);
  servers.push(running);
  return running.port;
}

interface Setup extends Partial<Omit<Parts, 'middle' | 'handler'>>, Partial<CaptureOptions> {
  readonly handler: Handler;
  readonly ear: (heard: () => Capture) => Partial<Ear>;
}

/** A server whose handler is heard; `told` is what the ear was told. */
async function hearing({ ear, handler, maxBodyBytes = 1_000_000, around, later, ...parts }: Setup) {
  const told: unknown[] = [];
  const seen: unknown[] = [];
  const port = await start(
    appOf({
      framework: 'node:http',
      compression: 'no',
      ...parts,
      middle: (req, res, next) => {
        const own = ear(() => heard);
        const heard = capture(
          req,
          res,
          {
            head: (answered, body) => {
              told.push(['head', answered.status, body?.toString()]);
              return own.head?.(answered, body) ?? 'pass';
            },
            end: (body) => {
              told.push(['end', body.length < 100 ? body.toString() : body.length]);
              own.end?.(body);
            },
            lost: (why) => {
              told.push(['lost', why]);
              own.lost?.(why);
            },
            cookie: () => {
              told.push('cookie');
              own.cookie?.();
            },
          },
          { maxBodyBytes, ...(around && { around }), ...(later && { later }) },
        );
        next();
      },
      handler: (req, res) => {
        res.once('finish', () => seen.push('finish'));
        res.once('close', () => seen.push('close'));
        void handler(req, res, (what) => seen.push(what));
      },
    }),
  );
  return { port, told, seen, get: (path = '/', fields = '') => exchange(port, 'GET', path, fields) };
}

const always = (course: 'pass' | 'copy' | 'hold' | 'drop') => () => ({ head: () => course });

describe('the head', () => {
  it.each<[string, Handler, string | undefined]>([
    ['end()', (_req, res) => void res.end('one'), 'one'],
    ['writeHead and end()', (_req, res) => void res.writeHead(200, { 'X-A': '1' }).end('one'), 'one'],
    ['end() without a body', (_req, res) => void res.end(), ''],
    ['a 304', (_req, res) => void res.writeHead(304), ''],
    ['write and end()', (_req, res) => void (res.write('one'), res.end('two')), undefined],
    ['flushHeaders and end()', (_req, res) => void (res.flushHeaders(), res.end('one')), undefined],
    [
      'end() of the wrong length',
      (_req, res) => void res.writeHead(200, { 'Content-Length': 9 }).end('one'),
      undefined,
    ],
  ])('comes with the body if that is one piece: %s', async (_name, handler, body) => {
    const { told, port } = await hearing({ handler, ear: always('copy') });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
    await until(() => told.length > 0, { what: 'the head' });
    socket.destroy();
    expect(told[0]).toEqual(['head', handler.toString().includes('304') ? 304 : 200, body]);
  });

  it('has what the handler set or changed, in its order and case, and beside it all that is sent', async () => {
    let heard: Answered | undefined;
    const { get } = await hearing({
      outer: (_req, res, next) => {
        res.setHeader('X-Outer', 'outer');
        res.setHeader('Vary', 'Origin');
        res.setHeader('X-Same', ['a', 'b']);
        res.setHeader('X-Removed', 'outer');
        next();
      },
      handler: (_req, res) => {
        res.setHeader('Vary', 'Origin, Accept');
        res.setHeader('X-Same', ['a', 'b']);
        res.removeHeader('X-Removed');
        res.setHeader('ETag', '"1"');
        res.statusMessage = 'Fine';
        res.writeHead(200, { 'cache-control': 'max-age=5', etag: '"2"', 'X-Number': 5 });
        res.end();
      },
      ear: () => ({
        head: (answered) => {
          heard = answered;
          return 'pass';
        },
      }),
    });
    const raw = await get();
    expect(heard).toEqual({
      status: 200,
      statusText: 'Fine',
      lines: [
        ['Vary', 'Origin, Accept'],
        ['etag', '"2"'],
        ['cache-control', 'max-age=5'],
        ['X-Number', '5'],
      ],
      removed: ['x-removed'],
      fields: { vary: 'Origin, Accept', etag: '"2"', 'cache-control': 'max-age=5', 'x-number': '5' },
      all: {
        'x-outer': 'outer',
        'x-same': ['a', 'b'],
        vary: 'Origin, Accept',
        etag: '"2"',
        'cache-control': 'max-age=5',
        'x-number': '5',
      },
    });
    expect(raw).toContain('Vary: Origin, Accept\r\n');
  });

  it('may be given fields, in every form in which the handler gave it', async () => {
    const forms: Handler[] = [
      (_req, res) => void res.end('x'),
      (_req, res) => void res.writeHead(200, { 'X-A': '1' }).end('x'),
      (_req, res) => void res.writeHead(200, ['X-A', '1', 'X-A', '2']).end('x'),
      (_req, res) =>
        void res
          .writeHead(200, [
            ['X-A', '1'],
            ['X-A', '2'],
          ] as never)
          .end('x'),
      (_req, res) => void (res.write('x'), res.end()),
    ];
    for (const handler of forms) {
      const { get } = await hearing({
        handler,
        ear: (heard) => ({
          head: () => {
            heard().real.setHeader('Cache-Status', 'here; fwd=miss');
            return 'copy';
          },
        }),
      });
      const raw = await get();
      expect(raw).toContain('Cache-Status: here; fwd=miss\r\n');
      if (handler.toString().includes('"2"') || handler.toString().includes("'2'")) {
        expect(raw).toMatch(/X-A: 1\r\nX-A: 2\r\n/);
      }
    }
  });
});

describe('copying', () => {
  it('does not let a slow client hold up the handler, below the limit', async () => {
    const first = 5_000_000;
    const body = 'x'.repeat(8_000_000);
    let done = false;
    const { port, told } = await hearing({
      maxBodyBytes: 20_000_000,
      ear: always('copy'),
      handler: async (_req, res) => {
        res.write(Buffer.alloc(first));
        await pipeline(Readable.from(chunksOf(body)), res, { end: false });
        done = true;
        res.end();
      },
    });
    const socket = await stalled(port);
    await until(() => done, { what: 'the handler to finish' });
    expect(told).toEqual([
      ['head', 200, undefined],
      ['end', first + body.length],
    ]);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
    await once(socket, 'close');
    expect(bodyOf(Buffer.concat(chunks).toString('latin1'))).toHaveLength(first + body.length);
  });

  it('keeps no more than the limit, and then the client sets the pace', async () => {
    let made = 0;
    let longest = 0;
    const { port, told } = await hearing({
      maxBodyBytes: 200_000,
      ear: always('copy'),
      handler: async (_req, res) => {
        const source = function* () {
          for (; made < 60_000_000; made += 50_000) {
            longest = Math.max(longest, res.writableLength);
            yield Buffer.alloc(50_000);
          }
        };
        await pipeline(Readable.from(source()), res).catch(() => undefined);
      },
    });
    const socket = await stalled(port);
    await until(() => told.length > 1, { what: 'the copy to be given up' });
    // Whatever the system takes into its buffers: it ends, and the handler waits.
    let before = -1;
    await until(() => before === (before = made), { what: 'the handler to wait', every: 200 });
    expect(made).toBeLessThan(60_000_000);
    expect(longest).toBeLessThan(1_000_000);
    expect(told).toEqual([
      ['head', 200, undefined],
      ['lost', 'too large'],
    ]);
    socket.destroy();
  });

  it('gives up at once what is announced as too large', async () => {
    const { get, told } = await hearing({
      maxBodyBytes: 10,
      ear: always('copy'),
      handler: (_req, res) => {
        res.writeHead(200, { 'Content-Length': 11 });
        res.write('hello ');
        res.end('world');
      },
    });
    expect(bodyOf(await get())).toBe('hello world');
    expect(told).toEqual([
      ['head', 200, undefined],
      ['lost', 'too large'],
    ]);
  });

  it('keeps the bytes as they were written, whatever the handler does with its memory then', async () => {
    const { get, told } = await hearing({
      ear: always('copy'),
      handler: async (_req, res) => {
        const memory = Buffer.from('one');
        await new Promise((resolve) => res.write(memory, resolve));
        memory.write('two');
        res.end(memory, () => memory.fill('-'));
      },
    });
    await get();
    expect(told[1]).toEqual(['end', 'onetwo']);
  });

  it.each([
    ['shorter', 'abc', 4],
    ['longer', 'abcd', 3],
    ['not at all', '', 3],
  ])('never takes a body for whole that is %s than its length says', async (_name, body, length) => {
    for (const course of ['copy', 'hold'] as const) {
      for (const inPieces of [true, false]) {
        const { port, told } = await hearing({
          ear: always(course),
          handler: (_req, res) => {
            res.setHeader('Content-Length', length);
            if (inPieces) res.write(body);
            res.end(inPieces ? '' : body);
          },
        });
        const socket = connect(port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
        let raw = '';
        socket.on('data', (chunk) => (raw += chunk.toString()));
        await until(() => raw.endsWith(`\r\n\r\n${body}`), { what: 'what the handler wrote' });
        socket.destroy();
        expect(told).toEqual([
          ['head', 200, undefined],
          ['lost', 'length'],
        ]);
      }
    }
  });
});

describe('a client that goes, and a response that is destroyed', () => {
  it.each(['copy', 'hold'] as const)('in the course %s the answer is lost, once', async (course) => {
    for (const destroy of [true, false]) {
      const { port, told, seen } = await hearing({
        ear: always(course),
        handler: (_req, res) => {
          res.write('a part');
          if (destroy) res.destroy();
          res.once('close', () => {
            res.write('more');
            res.end('the rest');
          });
        },
      });
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
      if (!destroy) {
        await until(() => told.length > 0, { what: 'the head' });
        socket.destroy();
      }
      await until(() => seen.includes('close'), { what: 'the response to close' });
      expect(told).toEqual([
        ['head', 200, undefined],
        ['lost', 'aborted'],
      ]);
      socket.destroy();
    }
  });

  it('is noticed before the head, too', async () => {
    const { port, told, seen } = await hearing({
      ear: always('copy'),
      handler: (_req, res, note) => {
        note('called');
        res.once('close', () => res.end('too late'));
      },
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
    await until(() => seen.includes('called'), { what: 'the handler' });
    socket.destroy();
    await until(() => seen.includes('close'), { what: 'the response to close' });
    expect(told).toEqual([['lost', 'aborted']]);
  });

  it('ends a download in the middle without a trace, 500 times', async () => {
    const captures: WeakRef<Capture>[] = [];
    let lost = 0;
    let listeners = 0;
    const { port, told } = await hearing({
      maxBodyBytes: 400_000,
      ear: (heard) => ({
        head: () => {
          captures.push(new WeakRef(heard()));
          return 'copy';
        },
        lost: () => (lost += 1),
      }),
      handler: (_req, res) => {
        const source = Readable.from(chunksOf('x'.repeat(300_000)));
        source.once('data', () => setImmediate(() => res.write('more')));
        source.pipe(res, { end: false });
        res.once('close', () =>
          setImmediate(() => {
            source.destroy();
            listeners += res.listenerCount('close');
          }),
        );
      },
    });
    for (let round = 0; round < 500; round += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = connect(port, '127.0.0.1');
          socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
          await once(socket, 'data');
          socket.destroy();
        }),
      );
    }
    await until(() => lost === 500, { what: 'all to be lost' });
    expect(told.filter((entry) => String(entry).startsWith('end'))).toEqual([]);
    await until(
      () => {
        collectGarbage();
        return captures.filter((kept) => kept.deref() !== undefined).length < 10;
      },
      { what: 'the captures to be collected' },
    );
    expect(captures).toHaveLength(500);
    expect(listeners).toBe(0);
  });
});

describe('holding', () => {
  it('lets the caller answer instead, with none of the handler’s fields', async () => {
    const { get, seen } = await hearing({
      outer: (_req, res, next) => {
        res.setHeader('X-Outer', 'outer');
        res.setHeader('X-Changed', 'before');
        next();
      },
      handler: (_req, res, note) => {
        res.removeHeader('X-Outer');
        res.setHeader('X-Changed', 'after');
        res.removeHeader('Content-Length');
        res.removeHeader('Date');
        res.writeHead(404, 'Nothing', { 'X-Handler': '1' });
        res.end('handler', () => note('called back'));
        note(res.writableEnded);
      },
      ear: (heard) => ({
        head: () => 'hold',
        end: (body) => {
          setImmediate(() => {
            heard().reset();
            heard().real.end(`not ${body.toString()}`);
            heard().release();
          });
        },
      }),
    });
    const raw = await get();
    expect(raw).toBe(
      'HTTP/1.1 200 OK\r\nX-Changed: before\r\nX-Outer: outer\r\nConnection: close\r\nContent-Length: 11\r\n\r\nnot handler',
    );
    await until(() => seen.includes('close'), { what: 'the end' });
    expect(seen).toEqual([true, 'finish', 'called back', 'close']);
  });

  it('sends on what becomes too large, with all that was kept', async () => {
    for (const explicit of [true, false]) {
      const { get, told } = await hearing({
        maxBodyBytes: 10,
        ear: (heard) => ({ head: () => 'hold', lost: () => void heard().real.setHeader('X-Lost', '1') }),
        handler: async (_req, res) => {
          if (explicit) res.writeHead(201, { 'X-A': '1' });
          else res.setHeader('X-A', '1');
          res.write('hello ');
          await new Promise<void>((resolve) => res.write('big ', () => resolve()));
          await new Promise<void>((resolve) => res.write('wide ', () => resolve()));
          res.end('world');
        },
      });
      const raw = await get();
      expect(bodyOf(raw)).toBe('hello big wide world');
      expect(raw).toMatch(explicit ? /^HTTP\/1.1 201 Created/ : /^HTTP\/1.1 200 OK/);
      expect(raw).toContain('X-A: 1\r\n');
      expect(raw).toContain('X-Lost: 1\r\n');
      expect(told).toEqual([
        ['head', explicit ? 201 : 200, undefined],
        ['lost', 'too large'],
      ]);
    }
  });

  it('lets the caller answer when the whole is lost', async () => {
    const { get } = await hearing({
      maxBodyBytes: 3,
      ear: (heard) => ({
        head: () => 'hold',
        lost: () => {
          heard().reset();
          heard().real.writeHead(503);
          heard().real.end('sorry');
        },
      }),
      handler: (_req, res) => {
        res.write('too');
        res.write(' large');
        res.end();
      },
    });
    const raw = await get();
    expect(raw).toMatch(/^HTTP\/1.1 503 /);
    expect(bodyOf(raw)).toBe('sorry');
  });

  it('sends no trailers of the handler with the answer of the caller', async () => {
    const { get } = await hearing({
      ear: (heard) => ({
        head: () => 'hold',
        end: (body) => {
          heard().reset();
          heard().real.write(body);
          heard().real.end();
        },
      }),
      handler: (_req, res) => {
        res.setHeader('Trailer', 'X-Sum');
        res.write('body');
        res.addTrailers({ 'X-Sum': '1' });
        res.end();
      },
    });
    expect(await get()).toMatch(/\r\n\r\n4\r\nbody\r\n0\r\n\r\n$/);
  });

  it('goes on when the caller has answered before the handler is done', async () => {
    for (const destroys of [false, true]) {
      const { get, told } = await hearing({
        ear: (heard) => ({
          head: () => {
            setImmediate(() => {
              heard().reset();
              heard().real.end('early');
            });
            return 'hold';
          },
        }),
        handler: (_req, res) => {
          res.setHeader('X-Handler', '1');
          res.write('one ');
          res.once('close', () => {
            res.write('two');
            if (destroys) res.destroy();
            else res.end();
          });
        },
      });
      expect(await get()).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly$/);
      await until(() => told.length === 2, { what: 'the handler to be done' });
      expect(told[1]).toEqual(destroys ? ['lost', 'aborted'] : ['end', 'one two']);
    }
  });

  it('does not look to a server that shuts down like an answer that is done', async () => {
    let held: (() => void) | undefined;
    const { port, told } = await hearing({
      ear: (heard) => ({
        head: () => 'hold',
        end: (body) => {
          held = () => void heard().real.end(body);
        },
      }),
      handler: (_req, res) => void res.end('whole'),
    });
    const answer = exchange(port, 'GET', '/');
    await until(() => told.length === 2, { what: 'the end' });
    servers[0]?.server.closeIdleConnections();
    held?.();
    expect(bodyOf(await answer)).toBe('whole');
  });
});

describe('dropping', () => {
  it('lets the caller answer at once, while the handler writes on', async () => {
    const { get, seen } = await hearing({
      ear: (heard) => ({
        head: () => {
          heard().reset();
          heard().real.end('instead');
          return 'drop';
        },
      }),
      handler: async (_req, res, note) => {
        res.writeHead(500, { 'X-Failed': '1' });
        note(res.write('failed'));
        await new Promise((resolve) => setImmediate(resolve));
        note(res.write('more', () => note('called back')));
        res.end();
        note('ended');
      },
    });
    const raw = await get();
    expect(raw).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\ninstead');
    await until(() => seen.includes('called back') && seen.includes('close'), { what: 'the handler to end' });
    expect(seen.filter((what) => what === true)).toHaveLength(2);
  });

  it('keeps a handler that destroys its response from harming the answer', async () => {
    const { get } = await hearing({
      ear: (heard) => ({
        head: () => {
          setTimeout(() => {
            heard().reset();
            heard().real.end('instead');
          }, 10);
          return 'drop';
        },
      }),
      handler: (_req, res) => {
        res.statusCode = 500;
        res.write('failed');
        res.destroy(new Error('no more'));
      },
    });
    expect(bodyOf(await get())).toBe('instead');
  });
});

describe('a cookie that other middleware sets while the head is sent', () => {
  const forms: readonly [string, Handler][] = [
    ['end()', (_req, res) => void res.end('x')],
    ['writeHead', (_req, res) => void res.writeHead(200, { 'Set-Cookie': 'own=1' }).end('x')],
    ['write', (_req, res) => void (res.setHeader('Set-Cookie', 'own=1'), res.write('x'), res.end())],
  ];

  it.each(forms)('is told, and fields can still be set: %s', async (_name, handler) => {
    for (const course of ['copy', 'hold'] as const) {
      let added: boolean | undefined;
      const { get, told } = await hearing({
        outer: whileHeaded((res) => {
          const own = res.getHeader('Set-Cookie');
          OutgoingMessage.prototype.setHeader.call(
            res,
            'Set-Cookie',
            own === undefined ? 'a=1' : [own as string, 'a=1'],
          );
        }),
        handler,
        ear: (heard) => ({
          head: () => {
            heard().real.setHeader('Cache-Status', 'here; stored');
            return course;
          },
          end: (body) => {
            if (course === 'hold') heard().real.end(body);
            added = heard().cookieAdded;
          },
          cookie: () => void heard().real.setHeader('Cache-Status', 'here; detail=cookie'),
        }),
      });
      const raw = await get();
      expect(told).toContain('cookie');
      expect(added).toBe(true);
      expect(raw).toContain('Set-Cookie: a=1\r\n');
      expect(raw).toContain('Cache-Status: here; detail=cookie\r\n');
    }
  });

  it.each(forms)('is not confused with the handler’s own: %s', async (_name, handler) => {
    const { get, told } = await hearing({ outer: whileHeaded(() => undefined), handler, ear: always('copy') });
    await get();
    expect(told).not.toContain('cookie');
  });

  it('is told of a session', async () => {
    for (const framework of frameworks) {
      const handle = session({ secret: 'shh', resave: false, saveUninitialized: true });
      const { get, told } = await hearing({
        framework,
        outer: handle as unknown as NonNullable<Parts['outer']>,
        handler: (_req, res) => void res.end('hello'),
        ear: always('copy'),
      });
      const raw = await get();
      expect(raw).toContain('Set-Cookie: connect.sid=');
      expect(bodyOf(raw)).toBe('hello');
      expect(told).toEqual([['head', 200, 'hello'], 'cookie', ['end', 'hello']]);
    }
  });
});

describe('other middleware', () => {
  it('that sends later than it is told to, sends the handler’s head', async () => {
    const { get, told } = await hearing({
      outer: (_req, res, next) => {
        const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse;
        res.end = ((...args: unknown[]) => {
          setImmediate(() => end(...args));
          return res;
        }) as typeof res.end;
        next();
      },
      handler: (_req, res) => void res.writeHead(203, { 'X-A': '1' }).end('late'),
      ear: always('copy'),
    });
    const raw = await get();
    expect(raw).toMatch(/^HTTP\/1.1 203 /);
    expect(raw).toContain('X-A: 1');
    expect(bodyOf(raw)).toBe('late');
    expect(told.at(-1)).toEqual(['end', 'late']);
  });

  it('that sits nearer to the handler is asked for the head once', async () => {
    const listener = vi.fn<() => void>();
    const { get } = await hearing({
      handler: (_req, res) => {
        whileHeaded((headed) => {
          listener();
          headed.statusCode = 202;
          headed.setHeader('X-Inner', '1');
        })(_req, res, () => res.end('x'));
      },
      ear: always('copy'),
    });
    const raw = await get();
    expect(raw).toMatch(/^HTTP\/1.1 202 /);
    expect(raw).toContain('X-Inner: 1');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('that sits nearer to the handler may say a whole head', async () => {
    for (const course of ['pass', 'copy'] as const) {
      const { get } = await hearing({
        handler: (_req, res) => {
          const writeHead = res.writeHead.bind(res);
          res.writeHead = () => writeHead(202, 'Taken', { 'X-Inner': '1' });
          res.write('x');
          res.end();
        },
        ear: always(course),
      });
      expect(await get()).toMatch(/^HTTP\/1.1 202 Taken\r\nX-Inner: 1\r\n/);
    }
  });

  it('runs inside of what the caller puts around it, the handler does not', async () => {
    let depth = 0;
    const depths: Record<string, number> = {};
    const { get } = await hearing({
      around: (run) => {
        depth += 1;
        try {
          return run();
        } finally {
          depth -= 1;
        }
      },
      outer: whileHeaded(() => (depths['outer'] = depth)),
      handler: (_req, res) => {
        depths['handler'] = depth;
        res.end('x', () => (depths['callback'] = depth));
      },
      ear: () => ({
        head: () => {
          depths['ear'] = depth;
          return 'copy';
        },
      }),
    });
    await get();
    expect(depths).toEqual({ outer: 1, handler: 0, ear: 0, callback: 0 });
  });
});

describe('an ear that fails', () => {
  const warnings = () => vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(['head', 'end', 'lost', 'cookie'] as const)('does not harm the answer: %s', async (what) => {
    const warned = warnings();
    for (const course of ['copy', 'hold'] as const) {
      for (const inPieces of [true, false]) {
        const { get } = await hearing({
          maxBodyBytes: what === 'lost' ? 3 : 100,
          outer: whileHeaded((res) => what === 'cookie' && res.setHeader('Set-Cookie', 'a=1')),
          ear: (heard) => ({
            head: () => course,
            end: (body) => {
              if (course === 'hold' && what !== 'end') heard().real.end(body);
            },
            [what]: () => {
              throw new Error('deaf');
            },
          }),
          handler: (_req, res) => {
            res.setHeader('X-A', '1');
            if (inPieces) res.write('hello ');
            res.end(inPieces ? 'world' : 'hello world');
          },
        });
        const raw = await get();
        expect(raw).toContain('X-A: 1');
        expect(bodyOf(raw)).toBe('hello world');
      }
    }
    expect(warned).toHaveBeenCalled();
  });

  it('does not harm an answer that was to go on later', async () => {
    warnings();
    const { get } = await hearing({
      later: true,
      ear: () => ({
        head: () => 'hold',
        end: () => {
          throw new Error('deaf');
        },
      }),
      handler: (_req, res) => void res.end('hello world'),
    });
    expect(bodyOf(await get())).toBe('hello world');
  });
});

describe('release', () => {
  const names = ['writeHead', 'write', 'end', 'flushHeaders', 'destroy', 'writableEnded', 'writableNeedDrain'];

  it.each(['pass', 'copy', 'hold', 'drop'] as const)('leaves nothing on the response: %s', async (course) => {
    const own: string[][] = [];
    const { get, told } = await hearing({
      ear: (heard) => {
        const answer = () => {
          heard().real.end('y');
          heard().release();
        };
        return {
          head: () => {
            if (course === 'drop') setImmediate(answer);
            return course;
          },
          end: () => void (course === 'hold' && setImmediate(answer)),
        };
      },
      handler: (_req, res) => {
        res.once('finish', () => own.push(Reflect.ownKeys(res).map(String)));
        // More than a socket takes at once.
        res.write(Buffer.alloc(900_000));
        res.end('x');
      },
    });
    await get();
    expect(told.length).toBeGreaterThan(0);
    expect(own).toHaveLength(1);
    for (const name of names) expect(own[0]).not.toContain(name);
  });

  it('before the body lets the answer pass as if nobody had listened', async () => {
    for (const headed of [false, true]) {
      let release: (() => void) | undefined;
      const { get, told } = await hearing({
        ear: (heard) => {
          release = () => heard().release();
          return {};
        },
        handler: (_req, res) => {
          if (headed) res.writeHead(201, { 'X-A': '1' });
          release?.();
          res.end('x');
        },
      });
      const raw = await get();
      expect(raw).toMatch(headed ? /^HTTP\/1.1 201 Created\r\nX-A: 1/ : /^HTTP\/1.1 200 OK/);
      expect(bodyOf(raw)).toBe('x');
      expect(told).toEqual([]);
    }
  });
});

function* chunksOf(text: string): Generator<Buffer> {
  for (let at = 0; at < text.length; at += 60_000) yield Buffer.from(text.slice(at, at + 60_000));
}

/** A client that has asked, and does not read. */
async function stalled(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  await once(socket, 'connect');
  return socket;
}

/** Middleware that does something when the head is written, as session stores and many others do. */
function whileHeaded(run: (res: ServerResponse) => unknown): NonNullable<Parts['outer']> {
  return (_req, res, next) => {
    const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => ServerResponse;
    let fired = false;
    res.writeHead = (status: number, ...args: unknown[]) => {
      const fields = args.find((value) => typeof value === 'object');
      for (const [name, value] of Object.entries(fields ?? {})) res.setHeader(name, value as string);
      res.statusCode = status;
      if (!fired) run(res);
      fired = true;
      return writeHead(res.statusCode);
    };
    next();
  };
}
