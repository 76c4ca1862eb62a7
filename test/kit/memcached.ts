/** Starts a Memcached server of the test's own. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Binary, findBinary } from './binaries.ts';
import { type Certificates, makeCertificates, writeCertificates } from './certificates.ts';
import { type MemcachedAddress, authenticate, sendLine } from './memcached-client.ts';
import { type Server, startServer } from './server.ts';

export interface MemcachedOptions {
  /** More arguments, such as `['-I', '2m']`. They win over the kit's own. */
  readonly args?: readonly string[];
  /** Asks clients for these credentials (SASL PLAIN); such a server speaks only the binary protocol. @default none */
  readonly sasl?: { readonly user: string; readonly password: string };
  /** Speaks TLS instead of plain text, with a certificate of the kit's own or these. @default false */
  readonly tls?: boolean | Certificates;
}

export interface MemcachedServer extends Server {
  /** Certificate of the authority in PEM, when the server speaks TLS. */
  readonly ca: string | undefined;
  /** Sends one line of the text protocol and returns the reply: `await server.cli('stats')`. Not with SASL. */
  cli(...args: readonly (string | number)[]): Promise<string>;
}

const run = promisify(execFile);

export async function startMemcached(options: MemcachedOptions = {}): Promise<MemcachedServer> {
  const { sasl } = options;
  const binary = await findBinary('memcached');
  await checkFeatures(binary, options);
  const tools = sasl && (await findBinary('saslpasswd2'));
  const certificates = options.tls === true ? await makeCertificates() : options.tls || undefined;
  const address = (port: number): MemcachedAddress => ({ host: '127.0.0.1', port, ca: certificates?.ca });
  const server = await startServer({
    name: 'memcached',
    url: (port) => `${certificates ? 'memcacheds' : 'memcached'}://${credentials(sasl)}127.0.0.1:${port}`,
    async prepare(folder) {
      if (certificates) await writeCertificates(folder, certificates);
      if (sasl && tools) await writeUsers(tools, folder, sasl);
    },
    command: (port, folder) => ({
      command: binary.path,
      env: { ...tools?.env, ...binary.env, SASL_CONF_PATH: folder },
      args: [...settings(port, folder, options, certificates), ...(options.args ?? [])],
    }),
    async ready(port, pid) {
      if (sasl) return authenticate(address(port), sasl);
      const answered = /^STAT pid (\d+)/m.exec(await sendLine(address(port), 'stats'))?.[1];
      if (Number(answered) !== pid) throw new Error(`process ${answered} answered instead of ${pid}`);
    },
  });
  // Not a spread: `pid` is a getter, it changes with a restart.
  return Object.assign(server, {
    ca: certificates?.ca,
    async cli(...args: readonly (string | number)[]) {
      if (sasl)
        throw new Error('A memcached with SASL refuses the text protocol: use a binary client instead of cli()');
      return sendLine(address(server.port), args.join(' '));
    },
  });
}

async function checkFeatures(binary: Binary, { sasl, tls }: MemcachedOptions): Promise<void> {
  const { stdout: help } = await run(binary.path, ['-h'], { env: { ...process.env, ...binary.env } });
  const lacking = [sasl && '--enable-sasl', tls && '--enable-ssl'].find((flag) => flag && !help.includes(flag));
  if (lacking) throw new Error(`${binary.path} was built without ${lacking}: use Debian's package memcached`);
}

/** SASL_CONF_PATH names this folder: `memcached.conf` and a database with one user. */
async function writeUsers(
  { path, env }: Binary,
  folder: string,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  const database = join(folder, 'sasldb2');
  await writeFile(join(folder, 'memcached.conf'), `mech_list: plain\nsasldb_path: ${database}\n`);
  const args = ['-p', '-c', '-f', database, '-a', 'memcached', '-u', hostname(), user];
  const done = run(path, args, { env: { ...process.env, ...env } });
  done.child.stdin?.end(password);
  await done;
}

function credentials(sasl: MemcachedOptions['sasl']): string {
  return sasl ? `${encodeURIComponent(sasl.user)}:${encodeURIComponent(sasl.password)}@` : '';
}

function settings(port: number, folder: string, options: MemcachedOptions, certificates?: Certificates): string[] {
  const args = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-t', '2'];
  if (process.getuid?.() === 0) args.push('-u', 'root');
  if (options.sasl) args.push('-S');
  if (certificates) {
    args.push('-Z', '-o', `ssl_chain_cert=${join(folder, 'cert.pem')},ssl_key=${join(folder, 'key.pem')}`);
  }
  return args;
}
