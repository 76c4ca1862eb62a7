/** Shows which requests share an answer, and which pass the cache. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Bypass,
  type KeyRequest,
  type KeyRules,
  plainText,
  type PrimaryKey,
  primaryKey,
  routingFields,
} from '../../../src/express/responses/key.ts';
import { targetKeys, uriKey, uriTag, urlKeys } from '../../../src/express/responses/uri.ts';

const rules: KeyRules<KeyRequest> = { query: new Set(), vary: [], per: undefined };

interface Sketch extends Partial<Omit<KeyRequest, 'headers'>> {
  headers?: Record<string, string>;
}

function requestFor(sketch: Sketch): KeyRequest {
  const { headers, ...rest } = sketch;
  return { method: 'GET', url: '/', socket: {}, ...rest, headers: { host: 'example.com', ...headers } };
}

function keyOf(sketch: Sketch | string, changes: Partial<KeyRules<KeyRequest>> = {}): PrimaryKey {
  const found = outcome(sketch, changes);
  if (typeof found === 'string') throw new Error(`bypass: ${found}`);
  return found;
}

function outcome(sketch: Sketch | string, changes: Partial<KeyRules<KeyRequest>> = {}): PrimaryKey | Bypass {
  return primaryKey(requestFor(typeof sketch === 'string' ? { url: sketch } : sketch), { ...rules, ...changes });
}

const ab = { query: new Set(['a', 'b']) };

describe('the key of a request', () => {
  it('is that of its URI where the answer depends on nothing else', () => {
    const uri = 'http://example.com/cities/7';
    expect(keyOf('/cities/7')).toEqual({ key: uri, uri, tag: undefined });
    expect(keyOf({ url: '/cities/7', method: 'HEAD' })).toEqual({ key: uri, uri, tag: undefined });
    expect(keyOf({ url: '/cities/7', socket: { encrypted: true } }).key).toBe('https://example.com/cities/7');
    expect(keyOf({ url: '/', headers: { host: 'example.com:8080' } }).key).toBe('http://example.com:8080/');
    expect(keyOf({ url: '/', headers: { host: '[::1]:8080' } }).key).toBe('http://[::1]:8080/');
    expect(keyOf({ url: '/7', baseUrl: '/cities', originalUrl: '/cities/7' }).key).toBe(uri);
    expect(primaryKey({ method: 'GET', url: '/7', socket: {}, headers: { ':authority': 'h' } }, rules)).toMatchObject({
      key: 'http://h/7',
    });
  });

  it('does not mix what a router or a handler may tell apart in a path', () => {
    const paths = [
      '/account',
      '/account/',
      '/Account',
      '//account',
      '/account;a',
      '/account%2f',
      '/account%2F',
      '/account/.css',
      '/account.css',
      '/account;.css',
      '/account%00.css',
      '/account%3b.css',
      '/account/../account',
      '/account/./',
      '/%61ccount',
      '/account?',
      '/account%3F',
      '/account%23',
      '/account\\',
      '/account\u00e9',
    ];
    expect(new Set(paths.map((path) => keyOf(path).key)).size).toBe(paths.length);
  });

  it('has the declared parameters, sorted by name where all parsers read them alike', () => {
    expect(keyOf('/x?b=2&a=1', ab).key).toBe('http://example.com/x?a=1&b=2');
    expect(keyOf('/x?b=2&a=1', ab)).toEqual(keyOf('/x?a=1&b=2', ab));
    const all = [
      '?a=1',
      '?a=1&a=2',
      '?a=2&a=1',
      '?a=1;b=2',
      '?%61=1',
      '?a=1&',
      '?&a=1',
      '?a',
      '?a=',
      '?a=+',
      '?a=%20',
      '?',
      '',
    ];
    expect(new Set(all.map((query) => keyOf(`/x${query}`, ab).key)).size).toBe(all.length);
    for (const query of ['c=1', 'a[]=1', 'a[c]=1', 'A=1', 'a;b=1', '=1', 'a=1&c=2', '%=1'])
      expect(outcome(`/x?${query}`, ab)).toBe('query');
    expect(outcome('/x?a=1')).toBe('query');
  });

  it('has any query as it is written where all are allowed, and is found by the tag of the URI', () => {
    const all = { query: 'all' } as const;
    expect(keyOf('/x?a=1&b=2', all)).toEqual(keyOf('/x?a=1&b=2', ab));
    const turned = keyOf('/x?b=2&a=1', all);
    expect(turned.key).not.toBe(keyOf('/x?a=1&b=2', all).key);
    expect(turned.tag).toBe(uriTag('http://example.com/x?a=1&b=2'));
    expect(keyOf('/x?any[thing]=;', all).key).toBe('http://example.com/x?any[thing]=;');
  });

  it('knows the host without its case and its default port, and keeps what was written apart', () => {
    const plain = keyOf('/x');
    for (const host of ['EXAMPLE.com', 'example.com:80']) {
      const other = keyOf({ url: '/x', headers: { host } });
      expect(other.uri).toBe(plain.uri);
      expect(other.key).not.toBe(plain.key);
      expect(other.tag).toBe(uriTag(plain.uri));
    }
    expect(keyOf({ url: '/x', headers: { host: 'example.com:443' } }).uri).not.toBe(plain.uri);
    expect(keyOf({ url: '/x', headers: { host: 'ample.com' } }).uri).not.toBe(plain.uri);
  });

  it.each([...routingFields, 'forwarded'])('keeps apart what %s says', (name) => {
    const plain = keyOf('/x');
    const keys = ['evil.example', 'Evil.example', 'a#b', 'a%23b', '', 'ü', '\ud800', ' '].map((value) =>
      keyOf({ url: '/x', headers: { [name]: value } }),
    );
    expect(new Set([plain, ...keys].map(({ key }) => key)).size).toBe(keys.length + 1);
    for (const { uri, tag } of keys) expect([uri, tag]).toEqual([plain.uri, uriTag(plain.uri)]);
  });

  it('lets no value look like two', () => {
    const forged = keyOf({ url: '/x', headers: { 'x-forwarded-host': 'a#x-original-url=b' } });
    expect(forged.key).not.toBe(keyOf({ url: '/x', headers: { 'x-forwarded-host': 'a', 'x-original-url': 'b' } }).key);
    const signed = (host: string, id: string) =>
      keyOf({ url: '/x', headers: { 'x-host': host } }, { per: () => id }).key;
    expect(signed('a#per="ann', 'b')).not.toBe(signed('a', 'ann#per="b'));
    expect(signed('a', 'ann#vary=')).not.toBe(signed('a#per="ann', '#vary='));
  });

  it('does not give every client of a proxy an answer of his own', () => {
    const forwarded = (value: string) => keyOf({ url: '/x', headers: { forwarded: value } }).key;
    expect(forwarded('for=192.0.2.60')).toBe(keyOf('/x').key);
    expect(forwarded('for="[2001:db8::1]:47011";by=_proxy, for=unknown')).toBe(keyOf('/x').key);
    expect(forwarded('for=192.0.2.60;proto=https;by=203.0.113.43')).toBe(forwarded('For=192.0.2.61; proto=https'));
    expect(forwarded('for=192.0.2.60;host=evil')).not.toBe(forwarded('for=192.0.2.60'));
    expect(forwarded('for="<script>"')).not.toBe(forwarded('for="<b>"'));
    expect(forwarded('host=a,host=b')).not.toBe(forwarded('host=a;host=b'));
  });

  it('has the URL that a middleware put in the place of the one that was asked for', () => {
    const plain = keyOf({ url: '/x', originalUrl: '/x' });
    const rewritten = keyOf({ url: '/admin', originalUrl: '/x' });
    expect(rewritten.uri).toBe(plain.uri);
    expect(rewritten.tag).toBe(uriTag(plain.uri));
    const keys = [
      plain,
      rewritten,
      keyOf({ url: '/y', originalUrl: '/x' }),
      keyOf({ url: '/y', baseUrl: '/admin', originalUrl: '/x' }),
      keyOf({ url: '/admin/y', originalUrl: '/x' }),
      keyOf({ url: '/x?a=1', originalUrl: '/x' }),
    ];
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
  });

  it('keeps identities apart, by their type too', () => {
    const per = (id: unknown) => ({ per: () => id as string });
    const ids = ['', '7', 7, 'a#b', 'a%23b', '\ud800', '\ufffd', '"7', 1e21, -1, 0.5, 'ü'];
    expect(new Set(ids.map((id) => keyOf('/x', per(id)).key)).size).toBe(ids.length);
    expect(keyOf('/x', per(-0))).toEqual(keyOf('/x', per(0)));
    expect(keyOf('/x', per(7)).tag).toBe(uriTag('http://example.com/x'));
    for (const id of [undefined, null, Number.NaN, Infinity, {}, true, Promise.resolve('7')])
      expect(outcome('/x', per(id))).toBe('per');
    const failing = {
      per: () => {
        throw new Error('no user');
      },
    };
    expect(outcome('/x', failing)).toBe('per');
  });

  it('has the fields that are declared, by what they select', () => {
    const vary = { vary: ['accept-language', 'x-tenant'] };
    const of = (headers: Record<string, string>) => keyOf({ url: '/x', headers }, vary).key;
    expect(of({ 'accept-language': 'de, en' })).toBe(of({ 'accept-language': 'DE,en' }));
    const keys = [
      of({}),
      of({ 'x-tenant': '' }),
      of({ 'x-tenant': 'a' }),
      of({ 'x-tenant': 'A' }),
      of({ 'accept-language': 'a' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each<[Bypass, Sketch]>([
    ['method', { method: 'POST' }],
    ['method', { method: 'get' }],
    ['method', { method: 'OPTIONS' }],
    ['method', { originalMethod: 'POST' }],
    ['body', { headers: { 'content-length': '1' } }],
    ['body', { headers: { 'content-length': 'x' } }],
    ['body', { headers: { 'transfer-encoding': 'chunked' } }],
    ['upgrade', { headers: { upgrade: 'h2c' } }],
    ['conditions', { headers: { 'if-match': '*' } }],
    ['conditions', { headers: { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' } }],
    ['target', { url: 'http://example.com/x' }],
    ['target', { url: '*' }],
    ['target', { url: '' }],
    ['target', { url: '/a b' }],
    ['target', { url: '/a#b' }],
    ['target', { url: '/x?a=1#&b=2' }],
    ['target', { url: '/\ud800' }],
    ['target', { url: '/x\n' }],
    ['host', { headers: { host: '' } }],
    ['host', { headers: { host: 'a,b' } }],
    ['host', { headers: { host: 'a/b' } }],
    ['host', { headers: { host: 'user@a' } }],
    ['host', { headers: { host: 'a:' } }],
    ['host', { headers: { host: 'a b' } }],
    ['host', { headers: { host: 'a?b' } }],
    ['host', { protocol: 'javascript' }],
  ])('there is none, by reason of its %s: %j', (why, sketch) => {
    expect(outcome(sketch)).toBe(why);
  });

  it('is there for a GET that says it has no body', () => {
    expect(keyOf({ headers: { 'content-length': '0' } }).key).toBe('http://example.com/');
  });

  it('takes no request apart that has no socket', () => {
    const headers = { host: 'a' };
    expect(primaryKey({ method: 'GET', url: '/', headers } as unknown as KeyRequest, rules)).toBe('host');
  });

  it('is shared by two requests if and only if they are the same by these rules, and never throws', () => {
    const text = fc.constantFrom('a', 'b', '#', '%23', '%', '', 'ü', '=', '"');
    const fields = ['x-forwarded-host', 'x-original-url', 'x-tenant'];
    const header = fc.constantFrom(...fields, 'accept');
    const sketch = fc.record({
      path: fc.constantFrom('/', '/a', '/a/', '//a', '/a;b', '/a%23b'),
      query: fc.option(fc.constantFrom('', 'a=1', 'b=1', 'a=%23', 'b=1&b=2')),
      rewrite: fc.option(fc.constantFrom('/r', '/r#x', '/r?a=1')),
      id: fc.oneof(text, fc.constantFrom(7, 8)),
      headers: fc.dictionary(header, text, { maxKeys: 3, noNullPrototype: true }),
    });
    fc.assert(
      fc.property(sketch, sketch, (one, other) => {
        const [first, second] = [one, other].map(({ path, query, rewrite, id, headers }) => {
          const originalUrl = query === null ? path : `${path}?${query}`;
          const { accept: _, ...relevant } = headers;
          const found = keyOf(
            { originalUrl, url: rewrite ?? originalUrl, headers },
            { ...ab, vary: ['x-tenant'], per: () => id },
          );
          const meaning = {
            originalUrl,
            rewrite,
            id,
            relevant: fields.filter((name) => name in relevant).map((name) => [name, relevant[name]]),
          };
          return { key: found.key, meaning: JSON.stringify(meaning) };
        });
        return (first?.key === second?.key) === (first?.meaning === second?.meaning);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (url, host, value) => {
          const headers = { host, forwarded: value, 'x-forwarded-host': value };
          outcome({ url, headers }, { query: 'all', per: () => value, vary: ['forwarded'] });
          outcome({ url: `/${url}`, originalUrl: `/${value}` });
          targetKeys(requestFor({ url, headers }));
          urlKeys(url);
          urlKeys(`http://${url}`);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('costs time in proportion to what was sent', () => {
    const long = 100_000;
    const urls = [
      `/${'a'.repeat(long)}`,
      `/?${'a=1&'.repeat(long / 4)}`,
      `/?${'&'.repeat(long)}`,
      `/?a=${'%20'.repeat(long / 3)}`,
    ];
    const values = [
      'for=a;'.repeat(long / 6),
      ','.repeat(long),
      ' '.repeat(long),
      `for="${'a'.repeat(long)}`,
      ':'.repeat(long),
    ];
    const began = performance.now();
    for (const url of urls)
      for (const value of values) {
        const headers = { forwarded: value, 'x-forwarded-host': value, host: value };
        outcome({ url, headers }, ab);
        outcome({ url, headers: { ...headers, host: 'a' } }, { query: 'all', vary: ['forwarded'] });
        urlKeys(`http://${value}${url}`);
      }
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('what a change makes untrue', () => {
  it('is found by the key of the URI, and by its tag', () => {
    const found = targetKeys(requestFor({ method: 'POST', url: '/x?b=2&a=1' }));
    const uri = 'http://example.com/x?a=1&b=2';
    expect(found).toEqual({ url: 'http://example.com/x?b=2&a=1', key: uri, tag: uriTag(uri) });
    expect(found?.key).toBe(keyOf('/x?a=1&b=2', ab).key);
    expect(uriKey('http://example.com', '/x?b=2&a=1')).toBe(uri);
  });

  it('is the resource that Express finds, however the target is written', () => {
    const key = 'http://example.com/x?a=1';
    for (const url of ['/x?a=1', 'http://other.example/x?a=1', '/x?a=1#top'])
      expect(targetKeys(requestFor({ method: 'PUT', url }))?.key).toBe(key);
    expect(targetKeys(requestFor({ method: 'PUT', url: 'http://other.example' }))?.key).toBe('http://example.com/');
    expect(targetKeys(requestFor({ method: 'PUT', url: '/x', headers: { host: 'EXAMPLE.com:80' } }))?.key).toBe(
      'http://example.com/x',
    );
    expect(targetKeys(requestFor({ method: 'OPTIONS', url: '*' }))).toBeUndefined();
    expect(targetKeys(requestFor({ method: 'PUT', url: '/x', headers: { host: 'a b' } }))).toBeUndefined();
  });

  it('is also what Location names', () => {
    expect(urlKeys('http://example.com/x?b=2&a=1#top')?.key).toBe('http://example.com/x?a=1&b=2');
    expect(urlKeys('HTTPS://Example.com:443')?.key).toBe('https://example.com/');
    expect(urlKeys('https://example.com?a=1')?.key).toBe('https://example.com/?a=1');
    for (const url of ['', '/x', 'ftp://example.com/', 'http://', 'http://a b/', 'mailto:a@b'])
      expect(urlKeys(url)).toBeUndefined();
  });
});

describe('the text by which a key is remembered', () => {
  const unusual = fc.dictionary(
    fc.constantFrom('x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'content-length', 'if-match', 'cookie'),
    fc.constantFrom('example.com', 'https', '0', '1'),
  );
  const requests = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
    url: fc.constantFrom('/', '/a', '/a?a=1', '/b/a', '/a?b=1&a=2'),
    originalUrl: fc.constantFrom(undefined, '/a', '/b/a', '/b', '/a?a=1'),
    baseUrl: fc.constantFrom(undefined, '', '/b', '/b/a'),
    encrypted: fc.boolean(),
    host: fc.constantFrom('example.com', 'EXAMPLE.com', 'other.com:80', 'a b'),
    more: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: unusual }),
  });

  it('is never that of two requests with two keys', () => {
    const keys = new Map<string, PrimaryKey | Bypass>();
    let remembered = 0;
    fc.assert(
      fc.property(requests, fc.boolean(), ({ method, url, originalUrl, baseUrl, encrypted, host, more }, hasQuery) => {
        const own = hasQuery ? { ...rules, ...ab } : rules;
        const request: KeyRequest = {
          method,
          url,
          ...(originalUrl !== undefined && { originalUrl }),
          ...(baseUrl !== undefined && { baseUrl }),
          socket: { encrypted },
          headers: { host, ...more },
        };
        const text = plainText(request, own);
        if (text === undefined) return;
        const place = `${hasQuery} ${text}`;
        const key = primaryKey(request, own);
        if (keys.has(place)) remembered += 1;
        expect(keys.get(place) ?? key).toEqual(key);
        keys.set(place, key);
      }),
      { numRuns: 5000 },
    );
    expect(remembered).toBeGreaterThan(100);
  });
});
