/** Shows which options the response cache takes, and what is said about the others. */

import { readFileSync } from 'node:fs';
import type { Request as ExpressRequest } from 'express';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createCache, HotshelfError } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { checkOptions, defaults, type ResponseCacheOptions } from '../../../src/express/responses/options.ts';
import type { IncomingLike } from '../../../src/express/request.ts';

const cache = createCache({ backend: memory() });

function refusal(options: unknown): string {
  try {
    checkOptions(options as ResponseCacheOptions);
  } catch (error) {
    if (error instanceof HotshelfError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('the options of a response cache', () => {
  it('have defaults, and the documentation says them', () => {
    expect(checkOptions({ cache })).toEqual({
      cache,
      name: 'responses',
      ttl: undefined,
      graceMs: undefined,
      swrMs: undefined,
      public: false,
      per: undefined,
      query: new Set(),
      vary: [],
      byLanguage: false,
      tags: [],
      tagsOf: undefined,
      maxBodyBytes: 1_048_576,
      compressAboveBytes: Infinity,
      serverTiming: false,
      statusName: 'hotshelf',
      targets: ['cdn-cache-control'],
      heuristic: false,
      requestDirectives: false,
      storeErrors: false,
      storeSetCookie: false,
      keepStaleMs: 3_600_000,
      waitMs: undefined,
    });
    const source = readFileSync(new URL('../../../src/express/responses/options.ts', import.meta.url), 'utf8');
    const documented = Array.from(source.matchAll(/@default (\S+)\n\s+\*\/\n\s+(\w+)\?:/g), ([, value, name]) => [
      name,
      value?.replaceAll(/_(?=\d)|'/g, ''),
    ]).filter(([, value]) => value !== 'none');
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
    );
  });

  it('are taken as they are said, in ms and in lower case', () => {
    const per = () => 7;
    const tagsOf = () => ['a'];
    const options: ResponseCacheOptions = {
      cache,
      name: 'pages',
      ttl: '5m',
      grace: '1h',
      swr: 0,
      per,
      query: ['q', 'ids[]', 'with space', 'ü'],
      vary: ['X-Tenant', 'Accept-Language'],
      byLanguage: true,
      tags: tagsOf,
      maxBodyBytes: 1,
      compress: true,
      serverTiming: true,
      statusName: 'edge of "here"',
      target: 'Hotshelf-Cache-Control',
      heuristic: true,
      requestDirectives: true,
      storeErrors: true,
      unsafeStoreSetCookie: true,
      keepStale: 0,
      wait: '2s',
    };
    expect(checkOptions(options)).toEqual({
      cache,
      name: 'pages',
      ttl: 300_000,
      graceMs: 3_600_000,
      swrMs: 0,
      public: false,
      per,
      query: new Set(['q', 'ids[]', 'with space', 'ü']),
      vary: ['accept-language', 'x-tenant'],
      byLanguage: true,
      tags: [],
      tagsOf,
      maxBodyBytes: 1,
      compressAboveBytes: 1024,
      serverTiming: true,
      statusName: 'edge of "here"',
      targets: ['hotshelf-cache-control', 'cdn-cache-control'],
      heuristic: true,
      requestDirectives: true,
      storeErrors: true,
      storeSetCookie: true,
      keepStaleMs: 0,
      waitMs: 2000,
    });
    const ttl = () => '1m' as const;
    expect(checkOptions({ cache, ttl, grace: '1s', public: true })).toMatchObject({ ttl, public: true });
    expect(checkOptions({ cache, query: 'all' }).query).toBe('all');
    expect(checkOptions({ cache, tags: ['a', ['b', 7]] }).tags).toEqual(['a', ['b', 7]]);
    expect(checkOptions({ cache, compress: { above: 0 } }).compressAboveBytes).toBe(0);
    expect(checkOptions({ cache, compress: {} }).compressAboveBytes).toBe(1024);
    expect(checkOptions({ cache, target: 'CDN-Cache-Control' }).targets).toEqual(['cdn-cache-control']);
    expect(checkOptions({ cache: cache.namespace('inner') }).name).toBe('responses');
  });

  it('do not follow a list that is changed later', () => {
    const [query, vary, tags] = [['a'], ['x-a'], ['t']];
    const rules = checkOptions({ cache, query, vary, tags });
    for (const list of [query, vary, tags]) list.push('later');
    expect(rules).toMatchObject({ query: new Set(['a']), vary: ['x-a'], tags: ['t'] });
  });

  it.each([
    [undefined, 'options of cacheResponses()'],
    [null, 'options of cacheResponses()'],
    ['5m', 'options of cacheResponses()'],
    [{}, '`cache` of cacheResponses() to be a cache that createCache() returned, got undefined'],
    [{ cache: {} }, '`cache`'],
    [{ cache: memory() }, '`cache`'],
    [{ cache, tll: '5m' }, 'Did you mean `ttl`'],
    [{ cache, Public: true }, 'Did you mean `public`'],
    [{ cache, name: 'a b' }, '`name`'],
    [{ cache, name: '' }, '`name`'],
    [{ cache, name: null }, '`name`'],
    [{ cache, ttl: 0 }, '`ttl`'],
    [{ cache, ttl: '5 parsecs' }, '`ttl`'],
    [{ cache, ttl: null }, '`ttl`'],
    [{ cache, ttl: 1, grace: -1 }, '`grace`'],
    [{ cache, ttl: 1, swr: 'soon' }, '`swr`'],
    [{ cache, grace: '1h' }, '`grace` and no `ttl`. Give both, or let the handler say `stale-if-error`'],
    [{ cache, swr: '1h' }, '`swr` and no `ttl`. Give both, or let the handler say `stale-while-revalidate`'],
    [{ cache, public: 1 }, '`public`'],
    [{ cache, public: null }, '`public`'],
    [{ cache, per: 'user' }, '`per` of cacheResponses() to be a function'],
    [{ cache, per: () => 1, public: true }, 'both `public` and `per`'],
    [{ cache, query: 'q' }, "a list of names of parameters, or 'all'"],
    [{ cache, query: [''] }, '`query`'],
    [{ cache, query: [7] }, '`query`'],
    [{ cache, query: ['a', 'a'] }, '"a" (string) twice'],
    [{ cache, query: ['a=b'] }, '`query`'],
    [{ cache, query: ['a&b'] }, '`query`'],
    [{ cache, query: ['a%20b'] }, 'after decoding'],
    [{ cache, query: ['a\n'] }, '`query`'],
    [{ cache, query: ['\ud800'] }, '`query`'],
    [{ cache, query: null }, '`query`'],
    [{ cache, vary: ['*'] }, '`vary`'],
    [{ cache, vary: ['a b'] }, '`vary`'],
    [{ cache, vary: [''] }, '`vary`'],
    [{ cache, vary: 'accept' }, '`vary`'],
    [{ cache, vary: ['Cookie'] }, 'Use `per`'],
    [{ cache, vary: ['authorization'] }, 'Use `per`'],
    [{ cache, vary: ['Accept', 'accept'] }, '"accept" (string) twice'],
    [{ cache, tags: 'a' }, '`tags`'],
    [{ cache, tags: [7] }, '`tags`'],
    [{ cache, tags: [['a', new Map()]] }, '`tags`'],
    [{ cache, tags: Array.from({ length: 64 }, (_, index) => `tag ${index}`) }, 'at most 63 tags'],
    [{ cache, maxBodyBytes: 0 }, '`maxBodyBytes`'],
    [{ cache, maxBodyBytes: 1.5 }, '`maxBodyBytes`'],
    [{ cache, maxBodyBytes: Infinity }, '`maxBodyBytes`'],
    [{ cache, maxBodyBytes: null }, '`maxBodyBytes`'],
    [{ cache, compress: 'br' }, '`compress`'],
    [{ cache, compress: null }, '`compress`'],
    [{ cache, compress: { abvoe: 1 } }, 'Did you mean `above`'],
    [{ cache, compress: { above: -1 } }, '`compress.above`'],
    [{ cache, serverTiming: 'yes' }, '`serverTiming`'],
    [{ cache, statusName: '' }, '`statusName`'],
    [{ cache, statusName: 'Kühlschrank' }, '`statusName`'],
    [{ cache, statusName: 'a\r\nb' }, '`statusName`'],
    [{ cache, target: 'Cache-Control' }, 'has a meaning of its own'],
    [{ cache, target: 'Set-Cookie' }, 'has a meaning of its own'],
    [{ cache, target: 'a b' }, '`target`'],
    [{ cache, target: true }, '`target`'],
    [{ cache, byLanguage: 'de' }, '`byLanguage`'],
    [{ cache, heuristic: 0 }, '`heuristic`'],
    [{ cache, requestDirectives: 'no' }, '`requestDirectives`'],
    [{ cache, storeErrors: 1 }, '`storeErrors`'],
    [{ cache, unsafeStoreSetCookie: 1 }, '`unsafeStoreSetCookie`'],
    [{ cache, keepStale: '1y' }, '`keepStale`'],
    [{ cache, wait: -1 }, '`wait`'],
  ])('refuse no. %#, and say why', (options, words) => {
    const said = refusal(options);
    expect(said).toMatch(/^OPTION_INVALID /);
    expect(said).toContain(words);
  });

  it('let the functions have the request of their framework', () => {
    const rules = checkOptions({ cache, per: (req: ExpressRequest) => req.ip, ttl: () => '1m' });
    expectTypeOf(rules.per).toEqualTypeOf<((req: ExpressRequest) => string | number | undefined) | undefined>();
    const any = checkOptions({ cache, per: (req) => req.url });
    expectTypeOf(any.per).toEqualTypeOf<((req: IncomingLike) => string | number | undefined) | undefined>();
    expect(rules.public).toBe(any.public);
  });
});
