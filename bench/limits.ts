/** What a take costs the client, beside one INCR and the other limiters; and what it costs to be refused again. */
import type { Limiter, LimitPlan } from '../src/limits/index.ts';
import { type RedisServer, startRedis } from '../test/kit/servers.ts';
import { limiter, Redis, redisOn } from './hotshelf.ts';
import { openAll } from './installed.ts';
import { exhaustedPeers, type LimitPeer, limitPeers } from './limit-peers.ts';
import { compare, type Contender, type Effort, table } from './measure.ts';

const keys = Array.from({ length: 256 }, (_, index) => `user-${index}`);
/** Each of them goes to the server once a second. */
const exhausted = keys.slice(0, 16);
const concurrencies = [1, 64] as const;
/** A pause of the machine is not what is measured. */
const deadline = '1s';
/** Never exhausted. */
const plenty = 1_000_000_000;
const hour: LimitPlan = { name: 'hour', limit: plenty, window: '1h' };

const plansOf: Readonly<Record<string, readonly LimitPlan[]>> = {
  '**hotshelf**': [hour],
  '**hotshelf**, token bucket': [{ ...hour, algorithm: 'token-bucket' }],
  '**hotshelf**, two plans': [hour, { name: 'day', limit: plenty, window: '1d' }],
};

/** Tells whether one more may pass; where the store did not decide, whatever is wrong. */
function taking(limits: Limiter, wrong: boolean): LimitPeer['take'] {
  return async (key) => {
    const { allowed, degraded } = await limits.take(key);
    return degraded === false ? allowed : wrong;
  };
}

/** Keeps `concurrency` takes in flight, all of which must be answered with `expected`. */
function contender(name: string, take: LimitPeer['take'], concurrency: number, expected: boolean): Contender {
  const some = expected ? keys : exhausted;
  let others = 0;
  const loop = async (from: number, count: number) => {
    for (let index = 0; index < count; index += 1)
      if ((await take(some[(from + index) % some.length] ?? '')) !== expected) others += 1;
  };
  return {
    name,
    before: async () => {
      others = 0;
    },
    run: async (count) => {
      const each = Math.ceil(count / concurrency);
      await Promise.all(Array.from({ length: concurrency }, (_, index) => loop(index, each)));
    },
    wrong: () =>
      others === 0 ? undefined : `${others} takes were ${expected ? 'refused' : 'allowed'} that should not be`,
  };
}

async function takes(server: RedisServer, effort: Effort): Promise<string> {
  const bare = new Redis(server.port);
  const backend = await redisOn(server.port);
  const ours = Object.entries(plansOf).map(([name, plans], index) => {
    return [name, limiter({ backend, name: `take${index}`, plans, deadline })] as const;
  });
  const peers = await openAll(limitPeers(new Redis(server.port), plenty));
  const sections: string[] = [];
  for (const concurrency of concurrencies) {
    const contenders = [
      contender('ioredis, a bare `INCR` (floor)', async (key) => (await bare.incr(key)) > 0, concurrency, true),
      ...ours.map(([name, limits]) => contender(name, taking(limits, false), concurrency, true)),
      ...peers.map(([name, { take }]) => contender(name, take, concurrency, true)),
    ];
    const results = await compare(contenders, concurrency === 1 ? 4000 : 100_000, effort);
    sections.push(`### ${concurrency} in flight\n\n${table(results, 'µs')}\n`);
  }
  for (const [, limits] of ours) limits.close();
  for (const [, peer] of peers) peer.close();
  await backend.close();
  bare.disconnect();
  return sections.join('\n');
}

/** What a careful developer writes in three lines. */
function mapOfBlocks(): LimitPeer['take'] {
  const blocks = new Map(exhausted.map((key) => [key, Date.now() + 3_600_000]));
  return async (key) => !((blocks.get(key) ?? 0) > Date.now());
}

async function refusals(server: RedisServer, effort: Effort): Promise<string> {
  const backend = await redisOn(server.port);
  const limits = limiter({ backend, name: 'exhausted', plans: [{ ...hour, limit: 1 }], deadline });
  const peers = await openAll(exhaustedPeers(new Redis(server.port)));
  for (const key of exhausted) {
    await limits.take(key);
    for (const [, { take }] of peers) await take(key);
  }
  const contenders = [
    contender('Map of blocked keys behind an async function (floor)', mapOfBlocks(), 1, false),
    contender('**hotshelf**', taking(limits, true), 1, false),
    ...peers.map(([name, { take }]) => contender(name, take, 1, false)),
  ];
  const asked = await scripts(server);
  const results = await compare(contenders, 100_000, effort);
  const share = ((await scripts(server)) - asked) / (100_000 * effort.share * (effort.rounds + 2));
  if (share > 0.05) throw new Error(`${share * 100} % of the refused takes went to the server.`);
  limits.close();
  for (const [, peer] of peers) peer.close();
  await backend.close();
  return `### Refused again, without a trip\n\n${table(results, 'ns')}\n`;
}

/** How many scripts the server has run. */
async function scripts(server: RedisServer): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(String(await server.cli('INFO', 'commandstats')))?.[1] ?? 0);
}

export async function limits(effort: Effort): Promise<string> {
  const server = await startRedis();
  try {
    const about = `One client process, one connection each, the server on the same machine; ${keys.length} keys, of which none is exhausted.`;
    return `## A take from a limit on Redis\n\n${about}\n\n${await takes(server, effort)}\n${await refusals(server, effort)}`;
  } finally {
    await server.stop();
  }
}
