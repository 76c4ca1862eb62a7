/** Reads in the server's own log when it charged a sliding window: what the callers say is not asked. */

import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { RedisServer } from '../kit/redis.ts';
import { until } from '../kit/wait.ts';

export interface Ledger {
  /** When each take of 1 was charged under `key` of a limiter, a plain text, by the server's clock, in epoch ms. */
  charges(key: string): Promise<readonly number[]>;
}

interface Charge {
  readonly key: string;
  readonly at: number;
}

/** What the script writes: the window, the number of the newest part, what was taken, and how long that counts. */
const stored = /^s(\d+):(\d+)(?:,\d+)+$/;

export async function openLedger(server: RedisServer): Promise<Ledger> {
  const client = new Redis(server.url);
  const monitor = await client.monitor();
  onTestFinished(() => {
    monitor.disconnect();
    client.disconnect();
  });
  const charges: Charge[] = [];
  let seen = '';
  monitor.on('monitor', (_time: string, [command = '', key = '', text = '', , ttl = '']: string[]) => {
    if (command.toLowerCase() === 'echo') seen = key;
    const [, windowMs, part] = stored.exec(text) ?? [];
    if (command.toLowerCase() !== 'set' || windowMs === undefined || part === undefined) return;
    // It counts until ten parts after its own have passed: that says when it was written.
    charges.push({ key, at: (Number(part) + 11) * (Number(windowMs) / 10) - Number(ttl) });
  });
  let marks = 0;
  return {
    async charges(key) {
      const mark = `mark ${(marks += 1)}`;
      await server.cli('ECHO', mark);
      await until(() => seen === mark, { what: 'the log of the server to come' });
      return charges.filter((charge) => charge.key.includes(`{=${key}}`)).map(({ at }) => at);
    },
  };
}

/** The most of these instants that lie in one span of `spanMs`. */
export function mostWithin(spanMs: number, instants: readonly number[]): number {
  const sorted = instants.toSorted((one, other) => one - other);
  let most = 0;
  let first = 0;
  for (const [place, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= spanMs) first += 1;
    most = Math.max(most, place - first + 1);
  }
  return most;
}
