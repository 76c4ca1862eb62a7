/** Addresses of clients: which spellings share a bucket, and which never do. */

import { isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBucket, checkIpv6Bits } from '../../src/limits/address.ts';

/** What the URL parser of Node says an IPv6 address is: its eight groups, from the shortest spelling. */
function groupsByUrl(address: string): number[] {
  const shortest = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [before = [], after = []] = shortest.split('::').map((half) => half.split(':').filter((part) => part !== ''));
  const left = before.map((part) => Number.parseInt(part, 16));
  const right = after.map((part) => Number.parseInt(part, 16));
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

/** The same question, answered with big numbers. */
function referenceBucket(address: string, bits: number): string {
  if (isIP(address) === 4) return address;
  const groups = groupsByUrl(address);
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
  const high = value >> 32n;
  const low = value & 0xffff_ffffn;
  if (high === 0xffffn || high === 0x64_ff9bn << 64n || (high === 0n && low > 1n)) {
    return [24n, 16n, 8n, 0n].map((shift) => (low >> shift) & 255n).join('.');
  }
  return `${(value >> BigInt(128 - bits)).toString(16)}/${bits}`;
}

/** A bucket as its number and its bits. */
function numberOf(bucket: string): string {
  const [network = '', bits] = bucket.split('/');
  if (bits === undefined) return bucket;
  const value = groupsByUrl(network).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
  return `${(value >> BigInt(128 - Number(bits))).toString(16)}/${bits}`;
}

const groups = fc.array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});

/** All that may be chosen when an address is written down. */
const style = fc.record({
  upper: fc.boolean(),
  padded: fc.boolean(),
  gap: fc.nat(8),
  mixed: fc.boolean(),
  zone: fc.constantFrom('', '%eth0', '%25en1', '%'),
  port: fc.constantFrom('', '443'),
  blanks: fc.boolean(),
});

function write(values: readonly number[], chosen: typeof style extends fc.Arbitrary<infer Style> ? Style : never) {
  const hex = values.map((value) => value.toString(16).padStart(chosen.padded ? 4 : 1, '0'));
  const [g = 0, h = 0] = values.slice(6);
  const tail = chosen.mixed ? [[g >> 8, g & 255, h >> 8, h & 255].join('.')] : hex.slice(6);
  const parts = [...hex.slice(0, 6), ...tail];
  let text = parts.join(':');
  const zeros = values.slice(chosen.gap, 6).findIndex((value) => value !== 0);
  const length = zeros === -1 ? Math.max(0, 6 - chosen.gap) : zeros;
  if (length > 0) text = `${parts.slice(0, chosen.gap).join(':')}::${parts.slice(chosen.gap + length).join(':')}`;
  if (chosen.upper) text = text.toUpperCase();
  text += chosen.zone;
  if (chosen.port !== '') text = `[${text}]:${chosen.port}`;
  return chosen.blanks ? ` ${text}\t` : text;
}

describe('the bucket of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:cb00:7107', '203.0.113.7'],
    ['0000:0000:0000:0000:0000:FFFF:203.0.113.7', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['::ffff:203.0.113.7%eth0', '203.0.113.7'],
    ['::203.0.113.7', '203.0.113.7'],
    ['::cb00:7107', '203.0.113.7'],
    ['64:ff9b::203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2ff::7', '2001:db8:1:200::/56'],
    ['2001:0DB8:0001:0200:ffff:ffff:ffff:ffff', '2001:db8:1:200::/56'],
    ['2001:db8:1:2ab:0:0:192.0.2.1', '2001:db8:1:200::/56'],
    ['[2001:db8:1:200::]', '2001:db8:1:200::/56'],
    ['2001:db8:1:300::7', '2001:db8:1:300::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['fe80::1%25en1', 'fe80:0:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['203.0.113.256', 'unknown'],
    ['0203.0.113.7', 'unknown'],
    ['203.0.113', 'unknown'],
    ['3405803783', 'unknown'],
    ['0xcb007107', 'unknown'],
    ['1:2:3:4:5:6:7:8:9', 'unknown'],
    ['1::2::3', 'unknown'],
    ['1:2:3:4::5:6:7:8', 'unknown'],
    ['::ffff:203.0.113.7:1', 'unknown'],
    ['1.2.3.4::', 'unknown'],
    ['::fffff', 'unknown'],
    [':1:2:3:4:5:6:7', 'unknown'],
    ['2001:db8::１', 'unknown'],
    ['', 'unknown'],
    ['localhost', 'unknown'],
    ['203.0.113.7, 203.0.113.8', 'unknown'],
    [undefined, 'unknown'],
    [null, 'unknown'],
    [['203.0.113.7'], 'unknown'],
  ])('of %s is %s', (address, bucket) => {
    expect(addressBucket(address)).toBe(bucket);
  });

  it('is the same for every spelling, and what big numbers say', () => {
    fc.assert(
      fc.property(groups, style, fc.constantFrom(32, 48, 56, 60, 64, 127, 128), (values, chosen, bits) => {
        const plain = values.map((value) => value.toString(16)).join(':');
        const bucket = addressBucket(write(values, chosen), bits);
        expect(bucket).toBe(addressBucket(plain, bits));
        expect(numberOf(bucket)).toBe(referenceBucket(plain, bits));
      }),
      { numRuns: 3000 },
    );
  });

  it('is that of the IPv4 address for addresses that stand for one', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        fc.pre(address !== '0.0.0.0' && address !== '0.0.0.1');
        for (const prefix of ['', '::ffff:', '::', '64:ff9b::', '0:0:0:0:0:FFFF:'])
          expect(addressBucket(prefix + address)).toBe(address);
      }),
    );
  });

  it('is unknown for exactly what Node calls no address', () => {
    const alphabet = fc.constantFrom(...'0123456789abcF:..::'.split(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: alphabet, maxLength: 24 }), fc.ipV6(), fc.ipV4()), (text) => {
        fc.pre(!/^[^:]*:\d{1,5}$/.test(text));
        expect(addressBucket(text) !== 'unknown').toBe(isIP(text) !== 0);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is one for a thousand addresses of a /56', () => {
    const buckets = new Set<string>();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (subnet, host) => {
        const tail = (host.toString(16).padStart(16, '0').match(/.{4}/g) ?? []).join(':');
        buckets.add(addressBucket(`2001:db8:0:1${subnet.toString(16).padStart(2, '0')}:${tail}`));
      }),
      { numRuns: 1000 },
    );
    expect([...buckets]).toEqual(['2001:db8:0:100::/56']);
  });

  it('does not read texts that are too long for an address', () => {
    for (const text of [':'.repeat(1e6), '1.'.repeat(1e6), `[${'%'.repeat(1e6)}`, `${'0'.repeat(99)}1.2.3.4`])
      expect(addressBucket(text)).toBe('unknown');
  });
});

describe('the number of bits', () => {
  it.each([0, 31, 129, 56.5, Number.NaN, '56', null])('is refused as %s', (bits) => {
    expect(() => checkIpv6Bits(bits)).toThrow(/`ipv6Bits` to be a whole number from 32 to 128/);
  });
});
