/** Shows that the ring moves few keys when the servers change, and spreads them by weight. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring, type RingMember } from '../../../adapters/memcached/ring.ts';

const keys = Array.from({ length: 20_000 }, (_, index) => `user:${index}`);

const names = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom('10.0.0.', 'cache-', 'mc.example.'), fc.nat(255))
    .map(([start, end]) => `${start}${end}:11211`),
  { minLength: 4, maxLength: 4 },
);

function members(servers: readonly string[]): RingMember[] {
  return servers.map((server) => ({ server, weight: 1 }));
}

function ownersOf(all: readonly RingMember[]): string[] {
  const ring = new Ring(all);
  return keys.map((key) => all[ring.find(key)]?.server ?? '');
}

describe('the ring', () => {
  it('moves about a quarter of the keys to a fourth server, and none between the others', () => {
    fc.assert(
      fc.property(names, (servers) => {
        const before = ownersOf(members(servers.slice(0, 3)));
        const after = ownersOf(members(servers));
        const moved = after.filter((owner, index) => owner !== before[index]);
        expect(new Set(moved)).toEqual(new Set(servers.slice(3)));
        expect(moved.length / keys.length).toBeGreaterThan(0.17);
        expect(moved.length / keys.length).toBeLessThan(0.33);
      }),
      { numRuns: 40 },
    );
  });

  it('gives a key the same server in whatever order the servers are named', () => {
    fc.assert(
      fc.property(names, (servers) => {
        expect(ownersOf(members(servers.toReversed()))).toEqual(ownersOf(members(servers)));
      }),
      { numRuns: 10 },
    );
  });

  it('spreads keys by weight', () => {
    const owners = ownersOf([
      { server: 'a:1', weight: 1 },
      { server: 'b:1', weight: 3 },
    ]);
    const share = owners.filter((owner) => owner === 'b:1').length / owners.length;
    expect(share).toBeGreaterThan(0.68);
    expect(share).toBeLessThan(0.82);
  });
});
