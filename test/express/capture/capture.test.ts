/** What a client gets, and what a handler sees, is the same whether its answer is heard or not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Response } from 'express';
import { type Answered, capture, type Course } from '../../../src/express/capture/capture.ts';
import { type Compression, compressions, type Framework, frameworks, type Handler } from './apps.ts';
import { appOf, bodyOf, exchange, joined, listen, type Running } from './apps.ts';
import { expressHandlers, handlers } from './handlers.ts';

interface Outcome {
  readonly raw: string;
  readonly seen: readonly unknown[];
  readonly answered: Answered | undefined;
  readonly oneShot: string | undefined;
  readonly ended: string | undefined;
  readonly lost: string | undefined;
}

type Way = Course | 'unheard';

function handlerCalled(name: string): Handler {
  const handler = handlers[name];
  if (handler !== undefined) return handler;
  const own = expressHandlers[name];
  if (own === undefined) throw new Error(`There is no handler ${name}`);
  return (_req, res) => own(res as unknown as Response);
}

function answeredOf({ answered }: Partial<Outcome>): Answered {
  if (answered === undefined) throw new Error('The end came before the head');
  return answered;
}

/** A server that answers `/?handler&way`, and tells what became of the request before. */
function playground(framework: Framework, compression: Compression) {
  let outcome: Partial<Outcome> = {};
  let seen: unknown[] = [];
  const listener = appOf({
    framework,
    compression,
    middle: (req, res, next) => {
      const way = new URL(req.url ?? '', 'http://here').searchParams.get('way') as Way;
      if (way === 'unheard') return next();
      const heard = capture(
        req,
        res,
        {
          head: (answered, body) => {
            outcome = { ...outcome, answered, oneShot: body?.toString('latin1') };
            if (way === 'drop') setImmediate(answer, answered, Buffer.from('instead'));
            return way;
          },
          end: (body) => {
            outcome = { ...outcome, ended: body.toString('latin1') };
            if (way === 'hold') setImmediate(answer, answeredOf(outcome), body);
          },
          lost: (why) => (outcome = { ...outcome, lost: why }),
        },
        { maxBodyBytes: 1_000_000 },
      );
      const answer = (answered: Answered, body: Buffer): void => {
        heard.reset();
        const kept = answered.lines.filter(([name]) => name !== 'Trailer');
        for (const [name, value] of kept) heard.real.setHeader(name, value);
        heard.real.writeHead(answered.status, answered.statusText);
        heard.real.end(body);
        heard.release();
      };
      return next();
    },
    handler: (req, res) => {
      const name = new URL(req.url ?? '', 'http://here').searchParams.get('handler') ?? '';
      const mine = seen;
      res.once('finish', () => mine.push('finish'));
      res.once('close', () => mine.push('close'));
      void handlerCalled(name)(req, res, (what) => mine.push(what));
    },
  });
  let running: Running;
  return {
    open: async () => {
      running = await listen(listener);
    },
    close: () => running.close(),
    async ask(method: string, name: string, way: Way): Promise<Outcome> {
      outcome = {};
      seen = [];
      const fields = compression === 'no' ? '' : 'Accept-Encoding: gzip\r\n';
      const query = new URLSearchParams({ handler: name, way });
      const raw = await exchange(running.port, method, `/?${query.toString()}`, fields);
      return { raw, seen, ...outcome } as Outcome;
    },
  };
}

/** Compression knows nothing of callbacks, and chokes on what Node refuses. */
const notCompressed = ['end(callback)', 'write with callbacks', 'a body that is none'];

describe.each(frameworks)('on %s', (framework) => {
  describe.each(compressions)('with %s compression', (compression) => {
    const names = [...Object.keys(handlers), ...(framework === 'node:http' ? [] : Object.keys(expressHandlers))];
    const ground = playground(framework, compression);
    const wire = (raw: string) => (compression === 'no' ? raw : joined(raw));
    const sorted = (seen: readonly unknown[]) => seen.map(String).toSorted();
    // What is compressed has no other bytes for HEAD than without.
    const methods = compression === 'no' ? ['GET', 'HEAD'] : ['GET'];
    const chosen = names.filter((name) => compression === 'no' || !notCompressed.includes(name));
    beforeAll(() => ground.open());
    afterAll(() => ground.close());

    it.each(chosen)('hears %s, and changes nothing', async (name) => {
      for (const method of methods) {
        const unheard = await ground.ask(method, name, 'unheard');
        expect(unheard.raw).toMatch(/^HTTP\/1\.1 /);
        const passed = await ground.ask(method, name, 'pass');
        const copied = await ground.ask(method, name, 'copy');
        const held = await ground.ask(method, name, 'hold');
        const dropped = await ground.ask(method, name, 'drop');
        for (const heard of [passed, copied]) {
          expect([method, wire(heard.raw)]).toEqual([method, wire(unheard.raw)]);
          expect(heard.seen).toEqual(unheard.seen);
        }
        expect(passed.ended).toBeUndefined();
        expect([copied.lost, held.lost]).toEqual([undefined, undefined]);
        for (const heard of [passed, held, dropped]) expect(heard.answered).toEqual(copied.answered);
        for (const heard of [passed, held, dropped]) expect(heard.oneShot).toBe(copied.oneShot);
        expect(held.ended).toBe(copied.ended);
        expect([undefined, copied.ended]).toContain(copied.oneShot);
        const { status = 0 } = copied.answered ?? {};
        const none = method === 'HEAD' || status === 204 || status === 304;
        if (compression === 'no') expect(bodyOf(dropped.raw)).toBe(none ? '' : 'instead');
        // With compression outside, the client gets other bytes than those that the handler wrote.
        if (compression === 'outer') continue;
        for (const heard of [held, dropped]) expect(sorted(heard.seen)).toEqual(sorted(unheard.seen));
        expect(copied.ended).toBe(bodyOf(unheard.raw));
        expect(bodyOf(held.raw)).toBe(bodyOf(unheard.raw));
      }
    });
  });
});
