/** Shows that each server really starts, breaks and comes back as its controls promise. */
import { existsSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { Client as PgClient } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { authenticate } from './memcached-client.ts';
import { startProxy } from './proxy.ts';
import { infoField, sendCommand } from './resp.ts';
import { type Server, startMemcached, startPostgres, startRedis, startRedisCluster, startSentinel } from './servers.ts';
import { until } from './wait.ts';

const started: { stop(): Promise<void> }[] = [];

async function using<Started extends { stop(): Promise<void> }>(starting: Promise<Started>): Promise<Started> {
  const server = await starting;
  started.push(server);
  return server;
}

afterEach(async () => {
  for (const server of started.splice(0).toReversed()) await server.stop();
});

describe('startRedis', () => {
  it('starts a server that keeps nothing on disk, with the settings of the test', async () => {
    const redis = await using(startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru'] }));
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(await redis.cli('CONFIG', 'GET', 'maxmemory*')).toContain('allkeys-lru');
    expect(await redis.cli('CONFIG', 'GET', 'save')).toEqual(['save', '']);
    const [, folder] = (await redis.cli('CONFIG', 'GET', 'dir')) as string[];
    await redis.stop();
    expect(existsSync(String(folder))).toBe(false);
  });

  it('comes back empty on the same port, after a kill and from a pause', async () => {
    const redis = await using(startRedis());
    const { pid } = redis;
    await redis.cli('SET', 'key', 'value');
    await redis.kill();
    await expect(redis.cli('PING')).rejects.toThrow('ECONNREFUSED');
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(await redis.cli('DBSIZE')).toBe(0);
    await redis.pause();
    await redis.restart();
    expect(await redis.cli('PING')).toBe('PONG');
  });

  it('accepts connections and stays silent while it is paused', async () => {
    const redis = await using(startRedis());
    await redis.pause();
    let isAnswered = false;
    const answer = redis.cli('PING').finally(() => (isAnswered = true));
    await (await using(startRedis())).cli('PING');
    expect(isAnswered).toBe(false);
    redis.resume();
    expect(await answer).toBe('PONG');
  });

  it('asks for a password that may hold any character', async () => {
    const redis = await using(startRedis({ password: 'a b:c@d' }));
    expect(redis.url).toBe(`redis://:a%20b%3Ac%40d@127.0.0.1:${redis.port}`);
    expect(await redis.cli('PING')).toBe('PONG');
    await expect(sendCommand({ host: redis.host, port: redis.port }, ['PING'])).rejects.toThrow('NOAUTH');
  });

  it('speaks TLS with a certificate that its authority signed', async () => {
    const redis = await using(startRedis({ tls: true }));
    expect(redis.url).toBe(`rediss://127.0.0.1:${redis.port}`);
    expect(await redis.cli('PING')).toBe('PONG');
    await expect(tlsError(redis)).resolves.toMatch(/self.signed|unable to verify|issuer/i);
  });

  it('copies a primary before it counts as started', async () => {
    const primary = await using(startRedis({ password: 'secret' }));
    await primary.cli('SET', 'key', 'value');
    const replica = await using(startRedis({ password: 'secret', replicaOf: primary }));
    expect(await replica.cli('GET', 'key')).toBe('value');
    await expect(replica.cli('SET', 'key', 'other')).rejects.toThrow('READONLY');
  });

  it('shows the log of a server that does not start', async () => {
    await expect(startRedis({ args: ['--no-such-setting', 'yes'] })).rejects.toThrow(/no-such-setting/);
  });

  it('answers through the proxy', async () => {
    const redis = await using(startRedis());
    const proxy = await using(startProxy({ target: redis, seed: 1 }));
    expect(await sendCommand(proxy, ['ECHO', 'hello'])).toBe('hello');
  });
});

describe('startMemcached', () => {
  it('starts, is killed, and comes back empty on the same port', async () => {
    const memcached = await using(startMemcached({ args: ['-I', '2m'] }));
    expect(memcached.url).toBe(`memcached://127.0.0.1:${memcached.port}`);
    expect(await memcached.cli('stats settings')).toContain('STAT item_size_max 2097152');
    expect(await memcached.cli('set key 0 0 1\r\nv')).toBe('STORED');
    await memcached.kill();
    await expect(memcached.cli('version')).rejects.toThrow('ECONNREFUSED');
    await memcached.restart();
    expect(await memcached.cli('get key')).toBe('END');
  });

  it('asks for credentials with SASL PLAIN', async () => {
    const sasl = { user: 'cook', password: 'a:b@c' };
    const memcached = await using(startMemcached({ sasl }));
    expect(memcached.url).toBe(`memcached://cook:a%3Ab%40c@127.0.0.1:${memcached.port}`);
    await expect(authenticate(memcached, sasl)).resolves.toBeUndefined();
    await expect(authenticate(memcached, { ...sasl, password: 'x' })).rejects.toThrow('status 32');
    await expect(memcached.cli('version')).rejects.toThrow('refuses the text protocol');
  });

  it('speaks TLS with a certificate that its authority signed', async () => {
    const memcached = await using(startMemcached({ tls: true }));
    expect(await memcached.cli('version')).toMatch(/^VERSION 1\./);
    await expect(tlsError(memcached)).resolves.toMatch(/self.signed|unable to verify|issuer/i);
  });
});

describe('startRedisCluster', () => {
  it('covers all slots and redirects a key to the master that holds it', async () => {
    const cluster = await using(startRedisCluster());
    expect(cluster.nodes).toHaveLength(3);
    for (const key of ['a', 'b', 'c', 'd']) {
      const master = await cluster.masterOf(key);
      expect(await master.cli('SET', key, 'value')).toBe('OK');
      const other = cluster.masters.find((node) => node !== master);
      await expect(other?.cli('GET', key)).rejects.toThrow(`127.0.0.1:${master.port}`);
    }
  });

  it('promotes the replica of a master that was killed', async () => {
    const cluster = await using(startRedisCluster({ replicas: 1, nodeTimeout: 500, password: 'secret' }));
    const [master] = cluster.masters;
    const [replica] = cluster.replicas;
    await master?.kill();
    const promoted = async (): Promise<boolean> =>
      infoField((await replica?.cli('INFO', 'replication')) ?? '', 'role') === 'master' &&
      infoField((await cluster.masters[1]?.cli('CLUSTER', 'INFO')) ?? '', 'cluster_state') === 'ok';
    expect(await until(promoted, { what: 'the promotion', within: 60_000, every: 50 })).toBe(true);
    // It keeps its identity, and comes back as the replica of the one that took over.
    await master?.restart();
    const returned = async (): Promise<boolean> =>
      infoField((await master?.cli('INFO', 'replication')) ?? '', 'role') === 'slave';
    expect(await until(returned, { what: 'the old master to return', within: 60_000, every: 50 })).toBe(true);
  });
});

describe('startSentinel', () => {
  it('carries out a planned failover', async () => {
    const group = await using(startSentinel());
    expect(await group.currentPrimary()).toBe(group.primary);
    await group.failover();
    expect(await group.currentPrimary()).toBe(group.replica);
    expect(await group.replica.cli('SET', 'key', 'value')).toBe('OK');
  });

  it('replaces a primary that was killed, with one Sentinel and a quorum of 1', async () => {
    const group = await using(startSentinel({ sentinels: 1, downAfter: 300, password: 'secret' }));
    await group.primary.kill();
    const replaced = async (): Promise<boolean> => (await group.currentPrimary()) === group.replica;
    expect(await until(replaced, { what: 'the replica to take over', within: 60_000, every: 50 })).toBe(true);
  });
});

describe('startPostgres', () => {
  it('answers queries, is killed, and comes back on the same port', async () => {
    const postgres = await using(startPostgres());
    expect(await select(postgres, 'select current_user as value')).toBe('postgres');
    await select(postgres, 'create table dishes (name text)');
    await postgres.kill();
    await expect(select(postgres, 'select 1 as value')).rejects.toThrow('ECONNREFUSED');
    await postgres.restart();
    expect(await select(postgres, 'select count(*)::int as value from dishes')).toBe(0);
  });
});

async function select({ url }: Server, query: string): Promise<unknown> {
  const client = new PgClient({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ value: unknown }>(query);
    return rows[0]?.value;
  } finally {
    await client.end();
  }
}

/** Why a client that does not know the authority refuses the server. */
function tlsError({ host, port }: Server): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port });
    socket.once('error', (error) => resolve(error.message));
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve('accepted');
    });
  });
}
