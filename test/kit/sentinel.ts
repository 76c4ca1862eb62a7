/** Starts a primary, a replica and the Sentinels that watch over them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary } from './binaries.ts';
import { type RedisServer, startRedis, stopOnFailure } from './redis.ts';
import { type Reply, infoField, sendCommand } from './resp.ts';
import { type Server, startServer } from './server.ts';
import { until } from './wait.ts';

export interface SentinelOptions {
  /** @default 3 */
  readonly sentinels?: number;
  /** Sentinels that must agree on a failure. @default the majority */
  readonly quorum?: number;
  /** Silence after which the primary counts as down, in ms. @default 1000 */
  readonly downAfter?: number;
  /** More settings for primary and replica. */
  readonly args?: readonly string[];
  /** Password of primary and replica; the Sentinels have none. */
  readonly password?: string;
}

export interface SentinelServer extends Server {
  cli(...args: readonly (string | number)[]): Promise<Reply>;
}

export interface SentinelGroup {
  /** The name that the Sentinels know the primary by: `hotshelf`. */
  readonly name: string;
  /** The primary at the start. */
  readonly primary: RedisServer;
  /** The replica at the start. */
  readonly replica: RedisServer;
  readonly sentinels: readonly SentinelServer[];
  /** What all Sentinels call the primary now; undefined while they disagree. */
  currentPrimary(): Promise<RedisServer | undefined>;
  /** Plans a failover, and waits until all Sentinels and the new primary agree. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

const name = 'hotshelf';

export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelGroup> {
  const { sentinels: count = 3, password } = options;
  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    // The Sentinels first: they would begin a failover.
    for (const server of servers.toReversed()) await server.stop();
  };
  return stopOnFailure({ stop }, async () => {
    const shared = { ...(options.args && { args: options.args }), ...(password !== undefined && { password }) };
    const primary = await startRedis(shared);
    servers.push(primary);
    const replica = await startRedis({ ...shared, replicaOf: primary });
    servers.push(replica);
    const sentinels: SentinelServer[] = [];
    for (let n = 0; n < count; n++) {
      const sentinel = await startOne(primary, options, count);
      sentinels.push(sentinel);
      servers.push(sentinel);
    }
    await Promise.all(sentinels.map((sentinel) => knowsAll(sentinel, count)));
    const currentPrimary = async (): Promise<RedisServer | undefined> => {
      const ask = (sentinel: SentinelServer): Promise<Reply> =>
        sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
      const ports = new Set(
        (await Promise.all(sentinels.map(ask))).map((reply) => Number(Array.isArray(reply) && reply[1])),
      );
      return ports.size === 1 ? [primary, replica].find(({ port }) => ports.has(port)) : undefined;
    };
    const failover = async (): Promise<void> => {
      const before = await until(currentPrimary, { what: 'the Sentinels to agree on the primary' });
      const after = before === primary ? replica : primary;
      await sentinels[0]?.cli('SENTINEL', 'FAILOVER', name);
      const done = async (): Promise<boolean> =>
        infoField(await after.cli('INFO', 'replication'), 'role') === 'master' && (await currentPrimary()) === after;
      await until(done, { what: 'the failover', within: 90_000, every: 50 });
    };
    return { name, primary, replica, sentinels, currentPrimary, failover, stop };
  });
}

async function startOne(primary: RedisServer, options: SentinelOptions, count: number): Promise<SentinelServer> {
  const binary = await findBinary('redis-server');
  const quorum = options.quorum ?? Math.floor(count / 2) + 1;
  const send = (port: number, ...args: readonly (string | number)[]): Promise<Reply> =>
    sendCommand({ host: '127.0.0.1', port }, args);
  const config = [
    'bind 127.0.0.1',
    `sentinel monitor ${name} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${options.downAfter ?? 1000}`,
    `sentinel failover-timeout ${name} 10000`,
    ...(options.password === undefined ? [] : [`sentinel auth-pass ${name} ${options.password}`]),
  ];
  const server = await startServer({
    name: 'sentinel',
    url: (port) => `redis://127.0.0.1:${port}`,
    prepare: (folder) => writeFile(join(folder, 'sentinel.conf'), config.join('\n')),
    command: (port, folder) => ({
      command: binary.path,
      env: binary.env,
      args: [join(folder, 'sentinel.conf'), '--sentinel', '--port', String(port), '--dir', folder],
    }),
    async ready(port, pid) {
      const answered = infoField(await send(port, 'INFO', 'server'), 'process_id');
      if (Number(answered) !== pid) throw new Error(`process ${answered} answered instead of ${pid}`);
    },
  });
  return Object.assign(server, { cli: (...args: readonly (string | number)[]) => send(server.port, ...args) });
}

/** Waits until a Sentinel can carry out a failover: it knows the replica and the other Sentinels. */
async function knowsAll(sentinel: SentinelServer, count: number): Promise<void> {
  const known = async (): Promise<boolean> => {
    const reply = await sentinel.cli('SENTINEL', 'MASTER', name);
    const fields = Array.isArray(reply) ? reply : [];
    const field = (wanted: string): Reply | undefined => fields[fields.indexOf(wanted) + 1];
    return (
      field('flags') === 'master' && field('num-slaves') === '1' && Number(field('num-other-sentinels')) === count - 1
    );
  };
  await until(known, { what: `the Sentinel on port ${sentinel.port} to know all`, within: 90_000, every: 50 });
}
