/** Starts a Redis server of the test's own. */
import { join } from 'node:path';
import { findBinary } from './binaries.ts';
import { type Certificates, makeCertificates, writeCertificates } from './certificates.ts';
import { type RedisAddress, type Reply, infoField, sendCommand } from './resp.ts';
import { type Server, startServer } from './server.ts';
import { until } from './wait.ts';

export interface RedisOptions {
  /** More settings, as on the command line: `['--maxmemory', '1mb']`. They win over the kit's own. */
  readonly args?: readonly string[];
  /** Asks clients for this password. @default none */
  readonly password?: string;
  /** Speaks TLS instead of plain text, with a certificate of the kit's own or these. @default false */
  readonly tls?: boolean | Certificates;
  /** Copies this server; the start waits until the copy is complete. A password must be the same on both. */
  readonly replicaOf?: { readonly host: string; readonly port: number };
}

export interface RedisServer extends Server {
  readonly password: string | undefined;
  /** Certificate of the authority in PEM, when the server speaks TLS. */
  readonly ca: string | undefined;
  /** Sends one command past every client and proxy: `await server.cli('CLIENT', 'LIST')`. */
  cli(...args: readonly (string | number)[]): Promise<Reply>;
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { password, replicaOf } = options;
  const binary = await findBinary('redis-server');
  const certificates = options.tls === true ? await makeCertificates() : options.tls || undefined;
  const address = (port: number): RedisAddress => ({ host: '127.0.0.1', port, password, ca: certificates?.ca });
  const server = await startServer({
    name: 'redis-server',
    url: (port) => `${certificates ? 'rediss' : 'redis'}://${credentials(password)}127.0.0.1:${port}`,
    ...(certificates && { prepare: (folder) => writeCertificates(folder, certificates) }),
    command: (port, folder) => ({
      command: binary.path,
      env: binary.env,
      args: [...settings(port, folder, options, certificates), ...(options.args ?? [])],
    }),
    async ready(port, pid) {
      const answered = infoField(await sendCommand(address(port), ['INFO', 'server']), 'process_id');
      if (Number(answered) !== pid) throw new Error(`process ${answered} answered instead of ${pid}`);
    },
  });
  // Not a spread: `pid` is a getter, it changes with a restart.
  const redis: RedisServer = Object.assign(server, {
    password,
    ca: certificates?.ca,
    cli: (...args: readonly (string | number)[]) => sendCommand(address(server.port), args),
  });
  if (replicaOf) await stopOnFailure(redis, () => replicaReady(redis));
  return redis;
}

/** Waits until a replica has copied its primary. */
export async function replicaReady(redis: RedisServer): Promise<void> {
  const up = async (): Promise<boolean> =>
    infoField(await redis.cli('INFO', 'replication'), 'master_link_status') === 'up';
  await until(up, { what: `the replica on port ${redis.port} to reach its primary`, within: 60_000 });
}

/** Runs `work` and stops what it would have belonged to when it fails. */
export async function stopOnFailure<Result>(
  owner: { stop(): Promise<void> },
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await owner.stop();
    throw error;
  }
}

function credentials(password?: string): string {
  return password === undefined ? '' : `:${encodeURIComponent(password)}@`;
}

function settings(port: number, folder: string, options: RedisOptions, certificates?: Certificates): string[] {
  const { password, replicaOf } = options;
  const args = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  // A replica would otherwise be served only 5 s after it asked.
  args.push('--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0');
  if (certificates) {
    args.push('--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no');
    args.push('--tls-cert-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem'));
    args.push('--tls-ca-cert-file', join(folder, 'ca.pem'));
    if (replicaOf) args.push('--tls-replication', 'yes');
  } else {
    args.push('--port', String(port));
  }
  if (password !== undefined) args.push('--requirepass', password, '--masterauth', password);
  if (replicaOf) args.push('--replicaof', replicaOf.host, String(replicaOf.port));
  return args;
}
