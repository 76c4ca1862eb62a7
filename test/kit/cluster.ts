/** Starts a real Redis Cluster of the test's own. */
import { freePort } from './port.ts';
import { type RedisServer, replicaReady, startRedis, stopOnFailure } from './redis.ts';
import { infoField } from './resp.ts';
import { until } from './wait.ts';

export interface RedisClusterOptions {
  /** @default 3 */
  readonly masters?: number;
  /** Replicas of each master. @default 0 */
  readonly replicas?: number;
  /** More settings for every node. */
  readonly args?: readonly string[];
  readonly password?: string;
  /** How long a node may be silent before it counts as failed, in ms. @default 2000 */
  readonly nodeTimeout?: number;
}

export interface RedisCluster {
  /** The masters in the order of their slots. */
  readonly masters: readonly RedisServer[];
  /** The replicas; `replicas[n]` copies `masters[n % masters.length]`. */
  readonly replicas: readonly RedisServer[];
  /** Masters and replicas. */
  readonly nodes: readonly RedisServer[];
  /** The master that held the slot of `key` at the start. */
  masterOf(key: string): Promise<RedisServer>;
  stop(): Promise<void>;
}

const slots = 16_384;

export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const masterCount = options.masters ?? 3;
  const count = masterCount * (1 + (options.replicas ?? 0));
  const nodes: RedisServer[] = [];
  const busPorts: number[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  return stopOnFailure({ stop }, async () => {
    for (let n = 0; n < count; n++) {
      const busPort = await freePort();
      busPorts.push(busPort);
      nodes.push(await startRedis(nodeOptions(options, busPort)));
    }
    const masters = nodes.slice(0, masterCount);
    const replicas = nodes.slice(masterCount);
    const from = (n: number): number => Math.round((n * slots) / masterCount);
    const seed = nodes[0];
    if (!seed) throw new Error('A cluster needs at least one master');
    for (const [n, master] of masters.entries()) {
      await master.cli('CLUSTER', 'SET-CONFIG-EPOCH', n + 1);
      await master.cli('CLUSTER', 'ADDSLOTSRANGE', from(n), from(n + 1) - 1);
      if (n > 0) await master.cli('CLUSTER', 'MEET', seed.host, seed.port, busPorts[0] ?? 0);
    }
    for (const replica of replicas) await replica.cli('CLUSTER', 'MEET', seed.host, seed.port, busPorts[0] ?? 0);
    await Promise.all(nodes.map((node) => clusterReady(node, count, masterCount)));
    for (const [n, replica] of replicas.entries()) {
      const master = await masters[n % masterCount]?.cli('CLUSTER', 'MYID');
      await replica.cli('CLUSTER', 'REPLICATE', String(master));
    }
    await Promise.all(replicas.map(replicaReady));
    await Promise.all(nodes.map((node) => replicasKnown(node, replicas.length)));
    return {
      masters,
      replicas,
      nodes,
      async masterOf(key) {
        const slot = Number(await seed.cli('CLUSTER', 'KEYSLOT', key));
        const master = masters.find((_, n) => slot < from(n + 1));
        if (!master) throw new Error(`No master for slot ${slot}`);
        return master;
      },
      stop,
    };
  });
}

function nodeOptions({ args = [], password, nodeTimeout = 2000 }: RedisClusterOptions, busPort: number) {
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    'nodes.conf',
    '--cluster-port',
    String(busPort),
  ];
  cluster.push('--cluster-node-timeout', String(nodeTimeout), '--cluster-announce-ip', '127.0.0.1');
  return { args: [...cluster, ...args], ...(password !== undefined && { password }) };
}

async function clusterReady(node: RedisServer, count: number, masters: number): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const info = await node.cli('CLUSTER', 'INFO');
    const field = (name: string): string | undefined => infoField(info, name);
    return (
      field('cluster_state') === 'ok' &&
      Number(field('cluster_known_nodes')) === count &&
      Number(field('cluster_size')) === masters
    );
  };
  await until(ready, { what: `the cluster node on port ${node.port} to be ok`, within: 90_000, every: 50 });
}

/** Waits until a node has heard of all replicas: before that a client that asks it would miss some. */
async function replicasKnown(node: RedisServer, count: number): Promise<void> {
  const known = async (): Promise<boolean> => {
    const lines = String(await node.cli('CLUSTER', 'NODES')).split('\n');
    return lines.filter((line) => / (myself,)?slave /.test(line)).length === count;
  };
  await until(known, { what: `the cluster node on port ${node.port} to know the replicas`, within: 90_000, every: 50 });
}
