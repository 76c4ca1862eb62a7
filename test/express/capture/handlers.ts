/** Handlers that answer in every way that Node and Express have. */

import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Response } from 'express';
import type { Handler } from './apps.ts';

const file = fileURLToPath(import.meta.url);
const text = readFileSync(file, 'utf8');

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function* parts(): Generator<string> {
  for (let at = 0; at < text.length; at += 700) yield text.slice(at, at + 700);
}

function plain(res: ServerResponse): void {
  res.setHeader('Content-Type', 'text/plain');
}

/** What a call that must fail fails with. */
function failure(run: () => unknown): unknown {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return codeOf(error);
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null | undefined)?.code;

/** Handlers that need nothing but Node. */
export const handlers: Readonly<Record<string, Handler>> = {
  'end(string)': (_req, res) => {
    plain(res);
    res.setHeader('X-Case', 'kept');
    res.end('héllo');
  },
  'end(Buffer)': (_req, res) => {
    plain(res);
    res.end(Buffer.from('hello'));
  },
  'end(Uint8Array)': (_req, res) => {
    plain(res);
    res.end(new Uint8Array([104, 105]));
  },
  'end(string, encoding)': (_req, res) => {
    res.end('68656c6c6f', 'hex');
  },
  'end(string, encoding, callback)': (_req, res, seen) => {
    res.end('h\u00e9llo', 'latin1', () => seen('called back'));
  },
  'end(string, callback)': (_req, res, seen) => {
    res.end('hello', () => seen('called back'));
  },
  'end(callback)': (_req, res, seen) => {
    res.end(() => seen('called back'));
  },
  'end()': (_req, res) => {
    res.end();
  },
  'end() with nothing as a string': (_req, res) => {
    res.end('');
  },
  'status and reason phrase': (_req, res) => {
    res.statusCode = 404;
    res.statusMessage = 'Never Heard Of';
    res.end('no');
  },
  'write and end': (_req, res, seen) => {
    plain(res);
    seen(res.headersSent);
    seen(res.write('one '));
    seen(res.headersSent);
    seen(res.write(Buffer.from('two ')));
    seen(res.write('dGhyZWU=', 'base64'));
    res.end(' four', () => seen(res.writableEnded));
    seen(res.writableEnded);
  },
  'write with callbacks': async (_req, res, seen) => {
    plain(res);
    await new Promise<void>((resolve) => res.write('one ', 'utf8', () => resolve()));
    seen('one');
    await new Promise<void>((resolve) => res.write('two ', () => resolve()));
    seen('two');
    res.end();
  },
  'write of nothing': (_req, res) => {
    plain(res);
    res.write('');
    res.end('all');
  },
  'writeHead(status)': (_req, res) => {
    plain(res);
    res.writeHead(201);
    res.end('made');
  },
  'writeHead(status, text, object)': (_req, res, seen) => {
    seen(res.writeHead(201, 'Made', { 'Content-Type': 'text/plain', 'X-Many': ['1', '2'], 'X-Number': 3 }) === res);
    seen(res.headersSent);
    seen(res.statusCode);
    seen(failure(() => res.setHeader('X-Late', '1')));
    seen(failure(() => res.removeHeader('X-Many')));
    seen(failure(() => res.writeHead(200)));
    res.end('made');
  },
  'writeHead(status, object) over fields that are set': (_req, res) => {
    res.setHeader('X-Over', 'old');
    res.setHeader('X-Stays', 'here');
    res.writeHead(200, { 'x-over': 'new', 'content-type': 'text/plain' });
    res.write('one');
    res.end('two');
  },
  'writeHead(status, flat array)': (_req, res) => {
    res.writeHead(200, ['Content-Type', 'text/plain', 'X-One', '1']);
    res.write('one');
    res.end('two');
  },
  'writeHead(status, text, flat array)': (_req, res) => {
    res.writeHead(203, 'Sure', ['Content-Type', 'text/plain', 'X-One', '1']);
    res.end('two');
  },
  'writeHead with a length, later the body': async (_req, res) => {
    res.writeHead(200, { 'Content-Length': 6, 'Content-Type': 'text/plain' });
    await later();
    res.write('one');
    await later();
    res.end('two');
  },
  'writeHead without a body': (_req, res) => {
    res.writeHead(200);
    res.end();
  },
  'a status that there is not': (_req, res, seen) => {
    seen(failure(() => res.writeHead(99)));
    seen(failure(() => res.writeHead(200, { 'X-Bad': 'a\nb' })));
    res.statusCode = 200;
    res.end('good');
  },
  'a body that is none': (_req, res, seen) => {
    plain(res);
    seen(failure(() => res.write(null)));
    seen(failure(() => res.write(7)));
    seen(failure(() => res.end({} as never)));
    seen(res.headersSent);
    res.end('good');
  },
  flushHeaders: async (_req, res, seen) => {
    plain(res);
    res.flushHeaders();
    seen(res.headersSent);
    await later();
    res.end('late');
  },
  'writeHead and flushHeaders': async (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/plain' });
    res.flushHeaders();
    await later();
    res.write('late');
    res.end();
  },
  'fields in all forms': (_req, res) => {
    res.setHeader('X-List', ['a', 'b']);
    res.appendHeader('X-List', 'c');
    res.setHeader('X-Number', 7);
    res.setHeaders(new Map([['x-map', 'm']]));
    res.setHeader('X-Gone', 'g');
    res.removeHeader('X-Gone');
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    res.end('fields');
  },
  'no Date, no length': (_req, res) => {
    res.removeHeader('Date');
    res.removeHeader('Content-Length');
    res.end('bare');
  },
  pipe: (_req, res) => {
    plain(res);
    Readable.from(parts()).pipe(res);
  },
  pipeline: async (_req, res, seen) => {
    plain(res);
    await pipeline(Readable.from(parts()), res);
    seen('pipeline is done');
  },
  'pipeline of a generator': async (_req, res, seen) => {
    plain(res);
    res.setHeader('Content-Length', Buffer.byteLength(text));
    await pipeline(parts, res);
    seen('pipeline is done');
  },
  'async iterator': async (_req, res) => {
    plain(res);
    for (const part of parts()) {
      if (!res.write(part)) await new Promise((resolve) => res.once('drain', resolve));
      await later();
    }
    res.end();
  },
  'cork and uncork': async (_req, res) => {
    plain(res);
    res.cork();
    res.write('one ');
    res.write('two ');
    await later();
    res.uncork();
    res.end('three');
  },
  'early hints': (_req, res) => {
    plain(res);
    res.writeEarlyHints({ link: '</style.css>; rel=preload' });
    res.writeProcessing();
    res.end('after the hints');
  },
  trailers: (req, res) => {
    plain(res);
    // Without a body there are no chunks, and Node refuses.
    if (req.method !== 'HEAD') res.setHeader('Trailer', 'X-Sum');
    res.write('body');
    res.addTrailers({ 'X-Sum': '1' });
    res.end();
  },
  'status 204': (_req, res) => {
    res.statusCode = 204;
    res.end();
  },
  'status 204 with a body': (_req, res, seen) => {
    res.writeHead(204);
    seen(res.write('never'));
    res.end('never');
  },
  'status 304': (_req, res) => {
    res.writeHead(304, { ETag: '"x"' });
    res.end();
  },
  'end twice': (_req, res, seen) => {
    plain(res);
    res.end('once');
    res.end();
    res.end(() => seen('called back'));
  },
  'write after the end': (_req, res, seen) => {
    plain(res);
    res.on('error', (error) => seen(codeOf(error)));
    res.end('all');
    res.write('more', (error) => seen(['write', codeOf(error)]));
    res.end('more', () => undefined);
  },
  'headed by _implicitHeader': (_req, res) => {
    plain(res);
    (res as ServerResponse & { _implicitHeader(): void })._implicitHeader();
    res.write('a');
    res.end('b');
  },
};

/** Handlers that need Express. */
export const expressHandlers: Readonly<Record<string, (res: Response) => unknown>> = {
  'send(string)': (res) => res.send('<p>hello</p>'),
  'send(Buffer)': (res) => res.send(Buffer.from('hello')),
  json: (res) => res.status(201).json({ hello: ['world', 'ä'.repeat(600)] }),
  jsonp: (res) => res.jsonp({ hello: 1 }),
  redirect: (res) => res.redirect('/elsewhere'),
  sendStatus: (res) => res.sendStatus(418),
  sendFile: (res) => res.sendFile(file, { lastModified: false, etag: false }),
  download: (res) => res.download(file, 'copy.ts', { lastModified: false, etag: false }),
  cookie: (res) => res.cookie('a', '1').type('text').send('cookie'),
  vary: (res) => res.vary('Accept').format({ text: () => res.send('text') }),
  'pipe after set': (res) => Readable.from(parts()).pipe(res.set('Cache-Control', 'max-age=5').type('text')),
};
