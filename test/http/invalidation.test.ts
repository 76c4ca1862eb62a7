/** Shows which stored answers a request invalidates: RFC 9111 section 4.4. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { invalidatesTarget, isSafeMethod, relatedTargets } from '../../src/http/invalidation.ts';
import { anyValue, expectUnharmed } from './adversary.ts';

describe('a method', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH'])('%s is safe', (method) => {
    expect(isSafeMethod(method)).toBe(true);
    for (let status = 100; status < 600; status += 1) expect(invalidatesTarget(method, status)).toBe(false);
  });

  // RFC 9110 section 9.1: methods are case-sensitive, so "get" is another one, and one that nobody knows.
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'PURGE', 'get', '', 'constructor'])(
    '%s is not safe',
    (method) => {
      expect(isSafeMethod(method)).toBe(false);
    },
  );

  it.each([
    [199, false],
    [200, true],
    [204, true],
    [299, true],
    [303, true],
    [399, true],
    [400, false],
    [404, false],
    [500, false],
    [599, false],
  ])('that is not safe, answered with %d: %j', (status, invalidates) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'M-SEARCH'])
      expect(invalidatesTarget(method, status)).toBe(invalidates);
  });
});

describe('Location and Content-Location', () => {
  const target = 'https://shop.example:8443/orders/new?a=1';
  const origin = 'https://shop.example:8443';

  it.each<[reference: string, expected: string[]]>([
    ['/orders/7', [`${origin}/orders/7`]],
    ['7', [`${origin}/orders/7`]],
    ['?b=2', [`${origin}/orders/new?b=2`]],
    ['', [target]],
    ['../a/./b', [`${origin}/a/b`]],
    ['/orders/7#top', [`${origin}/orders/7`]],
    [`${origin}/orders/7`, [`${origin}/orders/7`]],
    ['HTTPS://SHOP.EXAMPLE:8443/x', [`${origin}/x`]],
    ['//shop.example:8443/x', [`${origin}/x`]],
    ['https://me:secret@shop.example:8443/x', [`${origin}/x`]],
    ['/caf\u00e9', [`${origin}/caf%C3%A9`]],
    // Of another origin: another scheme, host or port.
    ['http://shop.example:8443/x', []],
    ['https://evil.example:8443/x', []],
    ['https://shop.example/x', []],
    ['//evil.example/x', []],
    ['https://shop.example:8443@evil.example/x', []],
    [String.raw`\\evil.example/x`, []],
    ['mailto:a@b', []],
    ['javascript:alert(1)', []],
    ['blob:https://other.example/x', []],
    ['http://[', []],
    ['https://shop.example:99999/', []],
  ])('%j names %j', (reference, expected) => {
    expect(relatedTargets(target, { location: reference })).toEqual(expected);
    expect(relatedTargets(target, { 'content-location': reference })).toEqual(expected);
    expect(relatedTargets(target, { location: reference, 'content-location': reference })).toEqual(expected);
  });

  it('name one URL each', () => {
    expect(relatedTargets(target, { location: '/a', 'content-location': '/b' })).toEqual([
      `${origin}/a`,
      `${origin}/b`,
    ]);
    expect(relatedTargets(target, {})).toEqual([]);
  });

  it.each(['', '/orders', 'shop.example', 'mailto:a@b', 'about:blank'])('name nothing for the target %j', (odd) => {
    expect(relatedTargets(odd, { location: 'mailto:a@b', 'content-location': '/x' })).toEqual([]);
  });

  it('never name what belongs to another origin', () => {
    expectUnharmed((location) => relatedTargets(target, { location }));
    expectUnharmed((url) => relatedTargets(url, { location: '/x' }));
    const piece = fc.oneof(
      anyValue,
      fc.constantFrom('//', '/\\', '@', ':', 'evil.example', origin, 'https:', '?', '#'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        for (const url of relatedTargets(target, { location: pieces.join('') })) {
          expect(new URL(url).origin).toBe(origin);
          expect(url.startsWith(`${origin}/`)).toBe(true);
          expect(url).not.toContain('#');
        }
      }),
    );
  });
});
