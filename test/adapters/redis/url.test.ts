/** Shows how Redis URLs are read, and that a bad one is refused without its credentials. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRedisUrl, redis } from 'hotshelf/redis';
import { describe, expect, it } from 'vitest';
import { HotshelfError } from '../../../src/support/errors.ts';
import { removeFolder, temporaryFolder } from '../../kit/folder.ts';

describe('a URL', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }],
    ['redis://cache.internal:7000/3', { host: 'cache.internal', port: 7000, db: 3 }],
    ['redis://cache.internal/?db=4', { host: 'cache.internal', port: 6379, db: 4 }],
    ['redis://user:pass@h', { host: 'h', port: 6379, username: 'user', password: 'pass' }],
    ['redis://:pass@h', { host: 'h', port: 6379, password: 'pass' }],
    ['redis://us%40er:p%3A%2F%40%3F%23%20%25@h:1', { host: 'h', port: 1, username: 'us@er', password: 'p:/@?# %' }],
    ['redis://:p:a:ss@h', { host: 'h', port: 6379, password: 'p:a:ss' }],
    ['redis://:p@ss@h', { host: 'h', port: 6379, password: 'p@ss' }],
    ['redis://[::1]:6380/1', { host: '::1', port: 6380, db: 1 }],
    ['redis://[2001:db8::7]', { host: '2001:db8::7', port: 6379 }],
    ['rediss://h:6380', { host: 'h', port: 6380, tls: true }],
    ['rediss://h?tls.servername=name.example', { host: 'h', port: 6379, tls: { servername: 'name.example' } }],
    ['redis+unix:///run/redis.sock', { path: '/run/redis.sock' }],
    ['redis+unix://:pw@/run/my%20redis.sock?db=2', { path: '/run/my redis.sock', password: 'pw', db: 2 }],
    [
      'redis+cluster://user:pw@h1:7000,h2,[::1]:7002',
      {
        username: 'user',
        password: 'pw',
        cluster: [
          { host: 'h1', port: 7000 },
          { host: 'h2', port: 6379 },
          { host: '::1', port: 7002 },
        ],
      },
    ],
    ['rediss+cluster://h1', { tls: true, cluster: [{ host: 'h1', port: 6379 }] }],
    [
      'redis+sentinel://:pw@h1,h2:5000/main/2?sentinelUsername=u&sentinelPassword=a+b%26c&sentinelTls=true',
      {
        password: 'pw',
        sentinels: [
          { host: 'h1', port: 26_379 },
          { host: 'h2', port: 5000 },
        ],
        master: 'main',
        db: 2,
        sentinelUsername: 'u',
        sentinelPassword: 'a+b&c',
        sentinelTls: true,
      },
    ],
    [
      'redis://h?connectTimeout=1.5s&connectionName=api',
      { host: 'h', port: 6379, connectTimeout: '1.5s', connectionName: 'api' },
    ],
  ])('%s', (url, connection) => {
    expect(parseRedisUrl(url).connection).toEqual(connection);
  });

  it('carries options of the backend', () => {
    expect(parseRedisUrl('redis://h?deadline=500ms&maxValueBytes=1000').options).toEqual({
      deadline: '500ms',
      maxValueBytes: 1000,
    });
  });

  it('names files with certificates', async () => {
    const folder = await temporaryFolder('url');
    await writeFile(join(folder, 'ca.pem'), 'PEM');
    const { connection } = parseRedisUrl(`rediss://h?tls.ca=${encodeURIComponent(join(folder, 'ca.pem'))}`);
    expect(connection.tls).toEqual({ ca: 'PEM' });
    await removeFolder(folder);
  });
});

describe('a bad URL', () => {
  it.each([
    ['mysql://user:secret@h', /expected redis:/],
    ['redis:user:secret@h', /expected redis:/],
    ['redis://user:secret@', /host/],
    ['redis://', /host/],
    ['redis://:se/cret@h', /host|database/],
    ['redis://secret@h', /user without a password/],
    ['redis://:sec%ZZret@h', /the password is not percent-encoded/],
    ['redis://:secret@h:0', /port/],
    ['redis://:secret@h:70000', /port/],
    ['redis://:secret@h:port', /host/],
    ['redis://:secret@::1', /host/],
    ['redis://:secret@h/one', /number of a database, got "one"/],
    ['redis://:secret@h/1/2', /number of a database/],
    ['redis://:secret@h1,h2', /redis\+cluster/],
    ['redis+cluster://:secret@h1,h2/3', /only database 0/],
    ['redis+cluster://:secret@h1,,h2', /host/],
    ['redis+sentinel://:secret@h1', /name of the master/],
    ['redis+sentinel://:secret@h1/main/x', /number of a database/],
    ['redis+unix://:secret@h/run/x', /redis\+unix/],
    ['redis://:secret@h?conectTimeout=1s', /Did you mean `connectTimeout`/],
    ['redis://:secret@h?tls.crt=x', /Did you mean `tls.cert`|Did you mean `tls.ca`/],
    ['redis://:secret@h?connectTimeout=soon', /connectTimeout.*duration/],
    ['redis://:secret@h?deadline=-1', /deadline.*duration/],
    ['redis://:secret@h?maxValueBytes=many', /maxValueBytes/],
    ['redis+sentinel://:secret@h/m?sentinelTls=yes', /true or false/],
    ['redis://:secret@h?tls.servername=x', /begin with rediss/],
    ['rediss://:secret@h?tls.ca=/does/not/exist', /cannot be read \(ENOENT\)/],
  ])('%s', (url, message) => {
    let error: unknown;
    try {
      redis(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(HotshelfError);
    expect(error).toMatchObject({ code: 'URL_INVALID', message: expect.stringMatching(message) });
    expect(String(error)).not.toMatch(/secret|sec%|ZZret/);
  });
});

describe('options', () => {
  it.each([
    [() => redis({ hots: 'h' } as never), /Did you mean `host`/],
    [() => redis({ host: 'h', port: 0 }), /`port`/],
    [() => redis({ host: 'h', db: 1.5 }), /`db`/],
    [() => redis({ host: 'h', password: 7 as never }), /`password` to be a string/],
    [() => redis({ cluster: [] }), /`cluster`/],
    [() => redis({ cluster: [{ host: 'h' } as never] }), /cluster: port/],
    [() => redis({ cluster: [{ host: 'h', port: 1 }], db: 2 }), /no other database/],
    [() => redis({ sentinels: [{ host: 'h', port: 1 }] }), /`master`/],
    [() => redis({ tls: { cert2: 'x' } as never }), /`tls` of redis/],
    [() => redis({ connectTimeout: 'x' as never }), /connectTimeout/],
    [() => redis('redis://h', { deadline: 0 }), /deadline/],
    [() => redis('redis://h', { maxValueBytes: 0 }), /maxValueBytes/],
    [() => redis('redis://h', { maxValueByte: 1 } as never), /Did you mean `maxValueBytes`/],
    [() => redis('redis://h', { clock: {} as never }), /Clock/],
    [() => redis(undefined as never), /got undefined/],
    [() => redis({ isOpen: false, sendCommand: () => {}, on: () => {} } as never), /`redis` package/],
  ])('%o are refused', (make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
