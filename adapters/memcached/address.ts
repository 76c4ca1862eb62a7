/** Reads where a server is: `host:port`, `[IPv6]:port`, or the parts. */

import { describe, HotshelfError } from '../../src/support/errors.ts';

export interface ServerAddress {
  readonly host: string;
  /** @default 11211 */
  readonly port?: number;
  /** The server's share of the keys, in proportion to the others'. @default 1 */
  readonly weight?: number;
}

const usualPort = 11211;
const heaviest = 100;
const pattern = /^(?:\[([0-9a-f:.%a-z]+)\]|([^\s:[\]@/]+))(?::(\d{1,5}))?$/i;

/** Reads `host`, `host:port`, `[::1]` or `[::1]:port`; `undefined` if it is none of them. */
export function parseServer(text: string): Required<ServerAddress> | undefined {
  const match = pattern.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? usualPort : Number(match[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port, weight: 1 };
}

/** @throws {HotshelfError} `OPTION_INVALID` */
export function checkServer(given: ServerAddress): Required<ServerAddress> {
  const { host, port = usualPort, weight = 1 } = given;
  if (typeof host !== 'string' || !/^[^\s[\]@/]+$/.test(host)) {
    throw new HotshelfError('OPTION_INVALID', `Expected \`host\` to be a name or an address, got ${describe(host)}.`);
  }
  checkWhole('port', port, 65_535);
  checkWhole('weight', weight, heaviest);
  return { host, port, weight };
}

function checkWhole(name: string, value: unknown, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected \`${name}\` to be a whole number from 1 to ${most}, got ${describe(value)}.`,
  );
}
