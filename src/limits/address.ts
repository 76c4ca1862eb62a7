/** Tells which bucket a client's address belongs to: by its bits, however it is written. */

import { describe, HotshelfError } from '../support/errors.ts';

/** Where everything goes that is no address: nobody gets a new bucket by sending nonsense. */
export const unknownAddress = 'unknown';

/** A home or an office gets a network of 56 bits, or of 64, and may use every address in it. */
export const ipv6BitsByDefault = 56;

/** With brackets, a zone and a port; what is longer is no address, and is not read. */
const longestText = 100;

/** The eight groups of an IPv6 address. */
type Groups = readonly number[];

/**
 * Returns the bucket of a client: its IPv4 address as `203.0.113.7`, or the network of its IPv6 address as `2001:db8:1:200::/56`.
 *
 * All notations of an address share a bucket: upper and lower case, with zeros or without, with a zone (`%eth0`), a port or
 * brackets. IPv6 addresses that stand for an IPv4 address share its bucket: mapped (`::ffff:0:0/96`), compatible (`::/96`) and
 * translated ones (`64:ff9b::/96`). Anything else, also `undefined`, is in the bucket `unknown`. Never throws.
 *
 * @param ipv6Bits how many bits of an IPv6 address count
 * @example
 * addressBucket('::FFFF:203.0.113.7'); // '203.0.113.7'
 * addressBucket('2001:db8:1:2ff::7%eth0'); // '2001:db8:1:200::/56'
 */
export function addressBucket(address: unknown, ipv6Bits: number = ipv6BitsByDefault): string {
  if (typeof address !== 'string' || address.length > longestText) return unknownAddress;
  const bare = bareAddress(address.trim());
  const ipv4 = ipv4Groups(bare);
  if (ipv4 !== undefined) return ipv4Text(ipv4);
  const groups = ipv6Groups(bare);
  if (groups === undefined) return unknownAddress;
  return standsForIpv4(groups) ? ipv4Text(groups.slice(6)) : networkText(groups, ipv6Bits);
}

/** @throws {HotshelfError} `OPTION_INVALID` unless `bits` is a whole number from 32 to 128. */
export function checkIpv6Bits(bits: unknown): number {
  if (typeof bits === 'number' && Number.isInteger(bits) && bits >= 32 && bits <= 128) return bits;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`ipv6Bits\` to be a whole number from 32 to 128, got ${describe(bits)}.`,
  );
}

/** Takes off the zone (RFC 4007 section 11), and the port that some proxies write behind an address. */
function bareAddress(text: string): string {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    return end !== -1 && portOrNothing.test(text.slice(end + 1)) ? withoutZone(text.slice(1, end)) : '';
  }
  const colon = text.indexOf(':');
  // With a single colon it is no IPv6 address.
  const hasPort = colon !== -1 && colon === text.lastIndexOf(':') && portOrNothing.test(text.slice(colon));
  return withoutZone(hasPort ? text.slice(0, colon) : text);
}

const portOrNothing = /^(?::\d{1,5})?$/;

function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone === -1 ? text : text.slice(0, zone);
}

/** Reads `a.b.c.d` as the last two groups of an address. A leading zero is refused: to some it means an octal number. */
function ipv4Groups(text: string): Groups | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) <= 255)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

const octet = /^(?:0|[1-9]\d{0,2})$/;

/** RFC 4291 section 2.2: eight groups, of which `::` stands for one or more that are 0; the last two may be written as IPv4. */
function ipv6Groups(text: string): Groups | undefined {
  const gap = text.indexOf('::');
  if (gap === -1) {
    const groups = groupsOf(text, true);
    return groups?.length === 8 ? groups : undefined;
  }
  const before = gap === 0 ? [] : groupsOf(text.slice(0, gap), false);
  const after = gap + 2 === text.length ? [] : groupsOf(text.slice(gap + 2), true);
  if (before === undefined || after === undefined || before.length + after.length > 7) return undefined;
  const zeros: number[] = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOf(text: string, mayEndInIpv4: boolean): Groups | undefined {
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const tail = mayEndInIpv4 && last.includes('.') ? ipv4Groups(last) : [];
  const hex = mayEndInIpv4 && last.includes('.') ? parts.slice(0, -1) : parts;
  if (tail === undefined || !hex.every((part) => group.test(part))) return undefined;
  return [...hex.map((part) => Number.parseInt(part, 16)), ...tail];
}

const group = /^[\da-f]{1,4}$/i;

function standsForIpv4([a, b, c, d, e, f, g = 0, h = 0]: Groups): boolean {
  if (b === 0xff_9b) return a === 0x64 && c === 0 && d === 0 && e === 0 && f === 0;
  if (a !== 0 || b !== 0 || c !== 0 || d !== 0 || e !== 0) return false;
  // "::" and "::1" are compatible with nothing (RFC 4291 section 2.5.5.1).
  return f === 0xff_ff || (f === 0 && (g !== 0 || h > 1));
}

function ipv4Text(groups: Groups): string {
  return groups.map((both) => `${both >> 8}.${both & 255}`).join('.');
}

/** The groups that the network fills, cut to its bits. */
function networkText(groups: Groups, bits: number): string {
  const filled = groups.slice(0, Math.ceil(bits / 16));
  const rest = bits % 16;
  const cut = filled.map((value, place) =>
    rest !== 0 && place === filled.length - 1 ? value & (0xff_ff << (16 - rest)) : value,
  );
  const text = cut.map((value) => value.toString(16)).join(':');
  return `${text}${filled.length < 8 ? '::' : ''}/${bits}`;
}
