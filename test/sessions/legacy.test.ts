/** Shows that whatever connect-redis stored is a session with its own lifetime, or nothing; never an exception. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLegacy, foundIn, legacyDefaults, legacyKey } from '../../src/sessions/legacy.ts';

const now = 1_700_000_000_000;
const day = 86_400_000;
const lifetimes = { ttlMs: day, absoluteTtlMs: Infinity, touchEvery: 0.1 };
const epoch = new Uint32Array(2);

const read = (text: string | Uint8Array, ttlMs = 1000, source = checkLegacy('connect-redis')) => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return foundIn({ bytes, ttlMs }, source ?? legacyDefaults, lifetimes, epoch, now);
};
const written = (cookie: object, fields: object = {}) => JSON.stringify({ cookie, ...fields });

describe('a session of connect-redis', () => {
  it('has its fields and its cookie, and lives as long as the server says', () => {
    const cookie = { originalMaxAge: 60_000, expires: new Date(now - 5000).toISOString(), httpOnly: true, path: '/' };
    const found = read(written(cookie, { user: 7, cart: { tea: 1 } }), 45_000);
    expect('record' in found && found.record.fields.values()).toEqual({ user: 7, cart: { tea: 1 } });
    expect(found).toEqual({
      record: {
        fields: expect.anything(),
        cookie: { originalMaxAge: 60_000, httpOnly: true, path: '/' },
        createdAt: now,
        owner: undefined,
        listedUntil: 0,
      },
      // Renewed 15 s ago, for a minute.
      writtenAt: now - 15_000,
      expiresAt: now + 45_000,
      epoch,
    });
  });

  it('has a cookie that ends with the browser, where it had one', () => {
    const found = read(written({ originalMaxAge: null, expires: null }), 3_600_000);
    expect(found).toMatchObject({ record: { cookie: { originalMaxAge: null } }, expiresAt: now + 3_600_000 });
    expect(found).toMatchObject({ writtenAt: now + 3_600_000 - day });
  });

  it('lives for its age, or else for the ttl, where the server keeps it for ever', () => {
    expect(read(written({ originalMaxAge: 60_000 }), Infinity)).toMatchObject({ expiresAt: now + 60_000 });
    expect(read(written({ originalMaxAge: null }), Infinity)).toMatchObject({ expiresAt: now + day });
  });

  it('lives as long as the server says, where its cookie has an end but no age', () => {
    const end = { originalMaxAge: null, expires: new Date(now - 1).toISOString() };
    expect(read(written(end), 9000)).toMatchObject({
      record: { cookie: { originalMaxAge: 9000 } },
      expiresAt: now + 9000,
    });
  });

  it('was written at the latest now, however long it lives', () => {
    expect(read(written({ originalMaxAge: 1000 }), 5000)).toMatchObject({ writtenAt: now, expiresAt: now + 5000 });
  });

  it('is read by the serializer that wrote it', () => {
    const parse = (text: string): unknown => JSON.parse(text.slice(3));
    const source = checkLegacy({ store: 'connect-redis', prefix: 'my:', parse });
    const found = read(`v1;${written({ originalMaxAge: 1000 }, { n: 1 })}`, 1000, source);
    expect('record' in found && found.record.fields.values()).toEqual({ n: 1 });
  });

  it('keeps a field named __proto__ to itself', () => {
    const found = read('{"cookie":{"originalMaxAge":null},"__proto__":{"admin":true}}');
    expect('record' in found && Object.getPrototypeOf(found.record.fields.values())).toBe(Object.prototype);
    expect(Reflect.get({}, 'admin')).toBeUndefined();
  });
});

describe('what is no session', () => {
  it.each([
    ['', 'corrupt'],
    ['{', 'corrupt'],
    ['null', 'foreign'],
    ['[]', 'foreign'],
    ['"text"', 'foreign'],
    ['{}', 'foreign'],
    ['{"cookie":null}', 'foreign'],
    ['{"cookie":"x"}', 'foreign'],
  ])('is told apart: %j', (text, reason) => {
    expect(read(text)).toEqual({ unusable: reason });
  });

  it('is never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1 }), (bytes, ttlMs) => {
        const found = read(bytes, ttlMs);
        expect('unusable' in found || typeof found.record.fields.values() === 'object').toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is everything that a serializer makes of it but an object with a cookie', () => {
    fc.assert(
      fc.property(fc.anything(), (made) => {
        const source = checkLegacy({ store: 'connect-redis', parse: () => made });
        expect(read('x', 1000, source)).toHaveProperty('unusable');
      }),
      { numRuns: 500 },
    );
  });
});

describe('any contents', () => {
  it('are the same after they were stored by connect-redis', () => {
    const names = fc.string().filter((name) => name !== 'cookie' && name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (fields) => {
        const found = read(written({ originalMaxAge: null }, fields));
        const own = 'record' in found ? found.record.fields.values() : undefined;
        expect(JSON.stringify(own)).toBe(JSON.stringify(fields));
      }),
      { numRuns: 500 },
    );
  });
});

describe('`readLegacy`', () => {
  it('takes the word, or an object with the prefix', () => {
    expect(checkLegacy(undefined)).toBeUndefined();
    expect(checkLegacy('connect-redis')).toMatchObject({ prefix: 'sess:' });
    expect(checkLegacy({ store: 'connect-redis', prefix: 'shop:' })).toMatchObject({ prefix: 'shop:' });
  });

  it.each([
    'connect-mongo',
    null,
    true,
    [],
    {},
    { store: 'redis' },
    { store: 'connect-redis', prefix: '' },
    { store: 'connect-redis', prefix: 'a b' },
    { store: 'connect-redis', parse: 'JSON' },
    { store: 'connect-redis', prefx: 'x' },
  ])('refuses %j', (option) => {
    expect(() => checkLegacy(option)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('looks for no session under an id that is no key', () => {
    expect(legacyKey(legacyDefaults, 'abc')).toBe('sess:abc');
    for (const sid of ['', 'a b', 'ü', 'x'.repeat(141)]) expect(legacyKey(legacyDefaults, sid)).toBeUndefined();
  });
});
