/** What one client sends never changes what another gets: probes that poison caches elsewhere. */

import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks, type Handler } from './site.ts';

/** A page that repeats everything that careless sites repeat. */
const echo: Handler = (req, res) => {
  const { headers } = req;
  const host = headers['x-forwarded-host'] ?? headers['x-host'] ?? headers['x-forwarded-server'] ?? headers.host;
  const scheme = headers['x-forwarded-proto'] ?? headers['x-forwarded-scheme'] ?? 'http';
  const more = [
    headers['x-original-url'],
    headers['x-rewrite-url'],
    headers['forwarded'],
    headers['x-forwarded-port'],
    headers['x-forwarded-prefix'],
    headers['x-http-method-override'],
  ];
  res.setHeader('Link', `<${String(scheme)}://${String(host)}/>`);
  res.end(JSON.stringify([scheme, host, req.url, more]));
};

/** Middleware as it stands before many sites. */
const careless: readonly Handler[] = [
  (req, _res, next) => {
    const override = req.headers['x-original-url'] ?? req.headers['x-rewrite-url'] ?? req.headers['x-canary'];
    if (typeof override === 'string') req.url = override;
    next();
  },
];

const probes: [string, string, Record<string, string>][] = [
  ['X-Forwarded-Host', '/p', { 'X-Forwarded-Host': 'evil.example' }],
  ['X-Forwarded-Host in twos', '/p', { 'X-Forwarded-Host': 'site.example, evil.example' }],
  ['X-Host', '/p', { 'X-Host': 'evil.example' }],
  ['X-Forwarded-Server', '/p', { 'X-Forwarded-Server': 'evil.example' }],
  ['X-Forwarded-Proto', '/p', { 'X-Forwarded-Proto': 'nothttps' }],
  ['X-Forwarded-Scheme', '/p', { 'X-Forwarded-Scheme': 'https' }],
  ['X-Forwarded-Port', '/p', { 'X-Forwarded-Port': '1' }],
  ['X-Forwarded-Prefix', '/p', { 'X-Forwarded-Prefix': '/evil' }],
  ['Forwarded', '/p', { Forwarded: 'host=evil.example;proto=x' }],
  ['Forwarded, malformed', '/p', { Forwarded: 'for="_evil' }],
  ['X-Original-URL', '/p', { 'X-Original-URL': '/evil' }],
  ['X-Rewrite-URL', '/p', { 'X-Rewrite-URL': '/evil' }],
  ['a field that no cache knows, and a middleware rewrites the URL by', '/p', { 'X-Canary': '/evil' }],
  ['a method override', '/p', { 'X-HTTP-Method-Override': 'DELETE' }],
  ['another host', '/p', { Host: 'evil.example' }],
  ['another port', '/p', { Host: 'site.example:8080' }],
  ['a host with a user', '/p', { Host: 'site.example@evil.example' }],
  ['a host in capitals', '/p', { Host: 'SITE.example' }],
  ['a host with a dot', '/p', { Host: 'site.example.' }],
  ['a parameter', '/p?a=evil', {}],
  ['a parameter that was not declared', '/p?utm=evil', {}],
  ['a parameter twice', '/p?a=1&a=evil', {}],
  ['a parameter in an array', '/p?a[]=evil', {}],
  ['a parameter in an object', '/p?a[b]=evil', {}],
  ['a parameter behind ";"', '/p?a=1;b=evil', {}],
  ['an encoded name', '/p?%61=evil', {}],
  ['an encoded "&"', '/p?a=1%26b=evil', {}],
  ['empty parameters', '/p?&&', {}],
  ['a lone "?"', '/p?', {}],
  ['a plus', '/p?a=1+evil', {}],
  ['a path with ";"', '/p;evil', {}],
  ['a path with an encoded slash', '/%2fp', {}],
  ['a path with two slashes', '//p', {}],
  ['a path in capitals', '/P', {}],
  ['a path with a suffix', '/p/evil.css', {}],
  ['a path with an encoded letter', '/%70', {}],
  ['a path with dots', '/x/../p', {}],
  ['a path with an encoded end of line', '/p%0d%0aX: y', {}],
];

describe.each(frameworks)('on %s', (framework) => {
  it.each(probes)('%s changes nothing for others', async (_, path, fields) => {
    const parts = { framework, before: careless };
    const options = { ttl: '1m', query: ['a', 'b'] } as const;
    const evil = path.replace(' ', '%20');
    const untouched = await cachedSite(echo, options, parts);
    const honest = ['/p', '/p?a=1', '/p?a=1&b=2'];
    const expected = [];
    for (const each of honest) expected.push(await untouched.ask(each));

    const site = await cachedSite(echo, options, parts);
    await site.ask(evil, fields);
    const attack = await site.ask(evil, fields);
    for (const [index, each] of honest.entries()) {
      for (const answer of [await site.ask(each), await site.ask(each)]) {
        expect([answer.status, answer.text, answer.headers.link]).toEqual([
          expected[index]?.status,
          expected[index]?.text,
          expected[index]?.headers.link,
        ]);
      }
    }
    // Nor do others change what the prober gets.
    expect((await site.ask(evil, fields)).text).toBe(attack.text);
    expect(attack.text).not.toBe(expected[0]?.text);
  });

  it('does not keep what is asked for with a body', async () => {
    const site = await cachedSite(echo, { ttl: '1m' }, { framework });
    expect((await site.ask('/p', {}, { body: 'a=evil' })).cached).toBe('fwd=bypass; detail=body');
    expect((await site.ask('/p')).cached).toBe('fwd=miss; stored');
  });

  it('takes two hosts in one request, or none, for no request of its own', async () => {
    const site = await cachedSite(echo, { ttl: '1m' }, { framework });
    const send = async (head: string) => {
      const socket = connect(site.port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.write(`${head}Connection: close\r\n\r\n`);
      await once(socket, 'close');
      return Buffer.concat(chunks).toString();
    };
    await send('GET /p HTTP/1.1\r\nHost: site.example\r\nHost: evil.example\r\n');
    await send('GET /p HTTP/1.0\r\n');
    await send('GET http://evil.example/p HTTP/1.1\r\nHost: site.example\r\n');
    const answer = await site.ask('/p');
    expect(answer.text).toBe(JSON.stringify(['http', 'site.example', '/p', [null, null, null, null, null, null]]));
  });

  it('keeps a private page private under every path that leads to it', async () => {
    const page: Handler = (req, res) => res.end(`account of ${req.headers.cookie ?? 'nobody'}`);
    const site = await cachedSite(page, { ttl: '1m' }, { framework });
    const paths = [
      '/account',
      '/account;a.css',
      '/account%2fa.css',
      '//account',
      '/ACCOUNT',
      '/account/a.css',
      '/account.css',
      '/account/%2e%2e/a.js',
    ];
    for (const path of paths) {
      await site.ask(path, { Cookie: 'ann' });
      expect((await site.ask(path)).text).toBe('account of nobody');
      expect((await site.ask(path, { Cookie: 'bob' })).text).toBe('account of bob');
    }
  });
});
