/** What is refused at the start, and with which words. */

import { HotshelfError } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { commitFirst, sessions, SessionStore } from 'hotshelf/sessions';
import { describe, expect, it } from 'vitest';

const backend = memory();
const long = 'a secret that is long enough for production';

/** Returns what `make` throws, or `ok`. */
function outcome(make: () => unknown): string {
  try {
    make();
    return 'ok';
  } catch (error) {
    return error instanceof HotshelfError ? `${error.code}: ${error.message}` : `not ours: ${String(error)}`;
  }
}

const preset = (options: object) => outcome(() => sessions({ backend, secret: long, ...options }));
const store = (options: object) => outcome(() => new SessionStore({ backend, ...options }));

describe('sessions()', () => {
  it.each([
    ['no secret', { secret: undefined }, 'needs a `secret`'],
    ['an empty secret', { secret: '' }, 'needs a `secret`'],
    ['no secret in a list', { secret: [] }, 'at least one secret'],
    ['an empty secret in a list', { secret: [long, ''] }, 'needs a `secret`'],
    ['a short secret in production', { secret: 'short', production: true }, 'has 5 characters'],
    ['a short old secret in production', { secret: [long, 'short'], production: true }, 'has 5 characters'],
    ["sameSite: 'none' without secure", { cookie: { sameSite: 'none' } }, 'needs secure: true'],
    ["sameSite: 'None' in other letters", { cookie: { sameSite: 'None' } }, '`cookie.sameSite`'],
    ['partitioned without secure', { cookie: { partitioned: true } }, 'needs secure: true'],
    ['a maxAge that is a text', { cookie: { maxAge: '1d' } }, '`cookie.maxAge`'],
    ['a maxAge of 0', { cookie: { maxAge: 0 } }, '`cookie.maxAge`'],
    ['a setting of the cookie that nobody knows', { cookie: { maxage: 1000 } }, 'Did you mean `maxAge`?'],
    ['a fixed end of all cookies', { cookie: { expires: new Date() } }, '`cookie` has no option `expires`'],
    ['a secret that is no text', { secret: Buffer.alloc(40) }, 'to be a text'],
    ['rolling that is neither', { rolling: 'yes' }, '`rolling`'],
    ['proxy that is neither', { proxy: 1 }, '`proxy`'],
    ['__host- in small letters', { name: '__host-x' }, '__host-x needs secure: true'],
    ['__Host- without secure', { name: '__Host-x' }, '__Host-x needs secure: true'],
    ['__Host- with a domain', { name: '__Host-x', cookie: { secure: true, domain: 'a.example' } }, 'no domain'],
    ['__Host- with a path', { name: '__Host-x', cookie: { secure: true, path: '/shop' } }, "path: '/'"],
    ['__Secure- without secure', { name: '__Secure-x' }, 'needs secure: true'],
    ['a name that is none', { name: 'a b' }, '`name`'],
    ['a cookie that is none', { cookie: 7 }, '`cookie`'],
    ['production that is neither', { production: 'yes' }, '`production`'],
    ['an unknown option', { secrets: long }, 'Did you mean `secret`?'],
    ['a timeout that is none', { timeout: -1 }, '`timeout`'],
  ])('refuses %s', (_what, options, words) => {
    expect(preset(options)).toMatch(/^OPTION_INVALID: /);
    expect(preset(options)).toContain(words);
  });

  it('sets Secure in production also where the setting is there and undefined', () => {
    expect(preset({ production: true, name: '__Host-x', cookie: { secure: undefined, path: undefined } })).toBe('ok');
  });

  it('shows no secret in what it says', () => {
    expect(preset({ secret: 'hunter2', production: true })).not.toContain('hunter2');
  });

  it.each([
    ['a short secret outside of production', { secret: 'short', production: false }],
    ["sameSite: 'none' with secure", { cookie: { sameSite: 'none', secure: true } }],
    ['a domain in production, under a plain name', { production: true, cookie: { domain: 'a.example' } }],
    ['several secrets', { secret: [long, `old ${long}`], production: true }],
  ])('takes %s', (_what, options) => {
    expect(preset(options)).toBe('ok');
  });
});

describe('a store', () => {
  it.each([
    ['no options', undefined],
    ['no backend', { backend: undefined }],
    ['a ttl of 0', { ttl: 0 }],
    ['a ttl that is none', { ttl: '5 parsecs' }],
    ['an absolute ttl that is none', { absoluteTtl: -1 }],
    ['touchEvery above a half', { touchEvery: 0.6 }],
    ['touchEvery that is no number', { touchEvery: '1s' }],
    ['hashIds that is neither', { hashIds: 1 }],
    ['an unknown rule', { merge: { views: 'product' } }],
    ['a rule for the cookie', { merge: { cookie: 'last' } }],
    ['rules that are none', { merge: ['sum'] }],
    ['maxBytes of 0', { maxBytes: 0 }],
    ['a codec that is none', { codec: {} }],
    ['codecs that are no list', { alsoRead: {} }],
    ['maxPerOwner without ownerOf', { maxPerOwner: 3 }],
    ['maxPerOwner of 0', { maxPerOwner: 0, ownerOf: () => 'a' }],
    ['ownerOf that is no function', { ownerOf: 'userId' }],
    ['onLimit without ownerOf', { onLimit: 'reject' }],
    ['an unknown way at the limit', { onLimit: 'ignore' }],
    ['an unknown way without a store', { onStoreError: 'ignore' }],
    ['a prefix with a brace', { prefix: 'a{b}' }],
    ['an unknown option', { tll: 1 }],
  ])('refuses %s', (_what, options) => {
    const make = options === undefined ? outcome(() => new SessionStore(undefined as never)) : store(options);
    expect(make).toMatch(/^OPTION_INVALID: /);
  });

  it('refuses a backend without values', () => {
    expect(store({ backend: { ...memory(), values: undefined } })).toMatch(/^FACET_MISSING: /);
  });

  it('takes options that are there and undefined', () => {
    expect(store({ ttl: undefined, maxPerOwner: undefined, clock: undefined })).toBe('ok');
  });
});

it('commitFirst() refuses what it does not know', () => {
  expect(outcome(() => commitFirst({ timeout: 0 }))).toMatch(/^OPTION_INVALID: /);
  expect(outcome(() => commitFirst({ within: 1 } as never))).toMatch(/^OPTION_INVALID: /);
});
