/** Shows which servers and options `memcached()` understands, and that it refuses others without showing a password. */

import { describe, expect, it } from 'vitest';
import { guardDefaults } from '../../../src/support/guard.ts';
import { memcachedDefaults, readSettings, type MemcachedTarget } from '../../../adapters/memcached/options.ts';

const secret = 's3cr3t';

/** Returns the code of what `run` throws, or the error itself if it shows the password: no expectation matches that. */
function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    const isClean = error instanceof Error && 'code' in error && !String(error).includes(secret);
    return isClean ? error.code : error;
  }
  return undefined;
}

function addresses(target: MemcachedTarget): string[] {
  return readSettings(target).servers.map(({ host, port, weight }) => `${host} ${port} ${weight}`);
}

describe('the servers of memcached()', () => {
  it.each([
    ['localhost', ['localhost 11211 1']],
    ['10.0.0.1:11212', ['10.0.0.1 11212 1']],
    ['a:1,b,c:3', ['a 1 1', 'b 11211 1', 'c 3 1']],
    ['memcached://a:1,b:2/', ['a 1 1', 'b 2 1']],
    ['[::1]:11212', ['::1 11212 1']],
    ['memcached://[2001:db8::1],[::2]:5', ['2001:db8::1 11211 1', '::2 5 1']],
  ])('reads %s', (text, expected) => {
    expect(addresses(text)).toEqual(expected);
  });

  it('reads a list, with ports and weights apart', () => {
    expect(addresses(['a:1', { host: 'b' }, { host: '::1', port: 2, weight: 3 }])).toEqual([
      'a 1 1',
      'b 11211 1',
      '::1 2 3',
    ]);
    expect(addresses({ servers: ['a'] })).toEqual(['a 11211 1']);
  });

  it('reads credentials with ":" and "@", encoded or not', () => {
    for (const text of ['memcached://us%3Aer:p:w@%40d@h:1', 'memcached://us%3Aer:p%3Aw%40%40d@h:1']) {
      const { servers, login } = readSettings(text);
      expect(servers).toEqual([{ host: 'h', port: 1, weight: 1 }]);
      expect(login).toEqual({ username: 'us:er', password: 'p:w@@d' });
    }
  });

  it('reads options in the query', () => {
    const url =
      'memcacheds://a,b/?connectTimeout=2s&deadline=30ms&maxValueBytes=100&maxBoardMembers=50&tls.servername=cache';
    expect(readSettings(url)).toMatchObject({
      connectTimeoutMs: 2000,
      limits: { deadlineMaxMs: 30, deadlineMinMs: 30 },
      maxValueBytes: 100,
      maxBoardMembers: 50,
      tls: { servername: 'cache' },
    });
    expect(readSettings(url, { deadline: '50ms' }).limits.deadlineMaxMs).toBe(50);
  });

  it('takes TLS from the scheme unless an option says otherwise', () => {
    expect(readSettings('memcacheds://h').tls).toEqual({});
    expect(readSettings('memcacheds://h', { tls: { ca: 'x' } }).tls).toEqual({ ca: 'x' });
    expect(readSettings('memcached://h').tls).toBeUndefined();
  });

  it.each([
    `redis://u:${secret}@h:1`,
    `memcached://u:${secret}@h:port`,
    `memcached://u:${secret}@h:1?x=1`,
    `memcached://:${secret}@h`,
    `memcached://u:${secret}%zz@h`,
    `memcached://u:${secret}@`,
    `memcached://u:${secret}/@h`,
    `memcached://u:${secret}@h?deadlin=1s`,
    `memcached://u:${secret}@h?deadline=fast`,
    `memcached://u:${secret}@h?maxValueBytes=1e3`,
    `memcached://u:${secret}@h?maxBoardMembers=many`,
    `memcached://u:${secret}@h?tls.servername=x`,
    `memcacheds://u:${secret}@h?tls.ca=/nowhere/ca.pem`,
    `memcached://u:${secret}@::1`,
    '',
  ])('refuses %s as a URL', (text) => {
    expect(codeOf(() => readSettings(text))).toBe('URL_INVALID');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty list', []],
    ['credentials in a list', [`u:${secret}@h:1`]],
    ['the same server twice', ['a:1', 'A:1']],
    ['a port out of range', [{ host: 'a', port: 65_536 }]],
    ['a weight of 0', [{ host: 'a', weight: 0 }]],
    ['an unknown name in a server', [{ host: 'a', wieght: 1 }]],
    ['options without servers', { username: 'u', password: secret }],
  ])('refuses %s', (_, target) => {
    expect(codeOf(() => readSettings(target as MemcachedTarget))).toBe('OPTION_INVALID');
  });
});

describe('the options of memcached()', () => {
  it('names the option that an unknown one resembles', () => {
    expect(() => readSettings('h', { connectTimout: 1 } as object)).toThrow('Did you mean `connectTimeout`?');
    expect(() => readSettings({ servers: ['h'], pasword: secret } as MemcachedTarget)).toThrow('`password`');
  });

  it.each([
    { connectTimeout: 0 },
    { maxValueBytes: 1.5 },
    { maxBoardMembers: 0 },
    { maxBoardMembers: 10_001 },
    { deadline: -1 },
    { tls: { rejectUnauthorized: false } },
    { username: 'u' },
    { password: secret },
    { username: '', password: secret },
    { username: 'a\0b', password: secret },
    { tls: 'yes' },
    { clock: {} },
  ])('refuses %o', (options) => {
    expect(codeOf(() => readSettings('h', options as object))).toBe('OPTION_INVALID');
  });

  it('lets the login in the options win over the one in the URL', () => {
    const { login } = readSettings('memcached://a:b@h', { username: 'c', password: 'd' });
    expect(login).toEqual({ username: 'c', password: 'd' });
  });

  it('has the documented defaults', () => {
    expect(memcachedDefaults).toEqual({
      deadline: '250ms',
      connectTimeout: '1s',
      blockLocally: true,
      maxBoardMembers: 1000,
    });
    expect(readSettings('h')).toMatchObject({
      connectTimeoutMs: 1000,
      limits: { deadlineMaxMs: 250, deadlineMinMs: guardDefaults.deadlineMinMs },
      maxValueBytes: undefined,
      blockLocally: true,
      maxBoardMembers: 1000,
      tls: undefined,
    });
  });
});
