/** Shows that the key has the URI that Express and Node know: mounted, rewritten, behind a proxy. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import {
  type Bypass,
  type KeyRequest,
  type KeyRules,
  type PrimaryKey,
  primaryKey,
} from '../../../src/express/responses/key.ts';
import { uriTag } from '../../../src/express/responses/uri.ts';
import { express4 } from './guarded.ts';

const rules: KeyRules<KeyRequest> = { query: new Set(), vary: [], per: undefined };

describe('in a server', () => {
  const send = async (
    listener: Parameters<typeof createServer>[1],
    path: string,
    headers: Record<string, string> = {},
  ) => {
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const request = httpRequest({
        port,
        host: '127.0.0.1',
        path,
        headers: { host: `example.com:${port}`, ...headers },
      });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const body = (await answer.toArray()).join('');
      const found = JSON.parse(body.replaceAll(`:${port}`, ':PORT')) as PrimaryKey | Bypass;
      return found;
    } finally {
      server.close();
    }
  };

  it.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('%s says which scheme and host to trust, and where the request was mounted', async (_, make) => {
    for (const trusted of [false, true]) {
      const app = make().set('trust proxy', trusted);
      const router = make.Router();
      router.use((req, res) => void res.json(primaryKey(req, { ...rules, query: new Set(['a']) })));
      app.use('/mounted', make.Router().use('/twice', router));
      const forged = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'other.example:444, third' };
      const plain = { key: 'http://example.com:PORT/mounted/twice/7', uri: 'http://example.com:PORT/mounted/twice/7' };
      expect(await send(app, '/mounted/twice/7')).toEqual(plain);
      for (const path of ['/mounted/twice', '/mounted/twice/', '/mounted/twice?a=1', '/mounted/twice/?a=1'])
        expect(await send(app, path)).toEqual({
          key: `http://example.com:PORT${path}`,
          uri: `http://example.com:PORT${path}`,
        });
      const uri = `${trusted ? 'https://other.example:444' : 'http://example.com:PORT'}/mounted/twice/7`;
      expect(await send(app, '/mounted/twice/7', forged)).toMatchObject({ uri, tag: uriTag(uri) });
    }
  });

  it.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('%s shows a URL that was rewritten', async (_, make) => {
    const app = make();
    app.use((req, _res, next) => {
      const to = req.get('x-rewrite-to');
      if (to !== undefined) req.url = to;
      next();
    });
    app.use(
      '/a',
      make.Router().use((req, res) => void res.json(primaryKey(req, rules))),
    );
    const plain = await send(app, '/a/b');
    const rewritten = await send(app, '/x', { 'x-rewrite-to': '/a/b' });
    expect(plain).toEqual({ key: 'http://example.com:PORT/a/b', uri: 'http://example.com:PORT/a/b' });
    expect(rewritten).toMatchObject({
      key: 'http://example.com:PORT/x#base=/a#url=/b',
      uri: 'http://example.com:PORT/x',
    });
  });

  it('of node:http the Host header counts', async () => {
    const found = await send((req, res) => void res.end(JSON.stringify(primaryKey(req, rules))), '/7');
    expect(found).toEqual({ key: 'http://example.com:PORT/7', uri: 'http://example.com:PORT/7' });
  });
});
