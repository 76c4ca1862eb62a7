/** Starts a PostgreSQL server of the test's own. */
import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Binary, findBinary } from './binaries.ts';
import { type Owner, removeFolder, temporaryFolder } from './folder.ts';
import { type Server, startServer } from './server.ts';

export interface PostgresOptions {
  /** More arguments, such as `['-c', 'max_connections=10']`. They win over the kit's own. */
  readonly args?: readonly string[];
}

/** The database `postgres` of the user `postgres`, who needs no password. `restart()` keeps its tables. */
export type PostgresServer = Server;

const run = promisify(execFile);

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const owner = await otherUser();
  const { binary, release } = await readable(await findBinary('postgres'), owner);
  const url = (port: number): string => `postgres://postgres@127.0.0.1:${port}/postgres`;
  const rights = owner ?? {};
  try {
    const server = await startServer({
      name: 'postgres',
      url,
      owner,
      async prepare(folder) {
        const args = [
          '-D',
          join(folder, 'data'),
          '-U',
          'postgres',
          '-A',
          'trust',
          '-E',
          'UTF8',
          '--locale=C',
          '--no-sync',
        ];
        const env = { ...process.env, ...binary.env };
        await run(join(dirname(binary.path), 'initdb'), args, { cwd: folder, env, ...rights });
      },
      command: (port, folder) => ({
        command: binary.path,
        env: binary.env,
        cwd: folder,
        ...rights,
        args: [...settings(port, join(folder, 'data')), ...(options.args ?? [])],
        // Immediate shutdown: a SIGKILL would leave its shared memory behind.
        endSignal: 'SIGQUIT',
      }),
      ready: (port, pid) => answers(url(port), pid),
    });
    const stop = server.stop.bind(server);
    return Object.assign(server, {
      async stop() {
        await stop();
        await release();
      },
    });
  } catch (error) {
    await release();
    throw error;
  }
}

function settings(port: number, data: string): string[] {
  const values = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'logging_collector=off',
    'max_connections=50',
  ];
  values.push('fsync=off', 'full_page_writes=off', 'shared_buffers=32MB');
  return ['-D', data, '-p', String(port), ...values.flatMap((value) => ['-c', value])];
}

async function answers(url: string, pid: number): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ file: string }>(`select pg_read_file('postmaster.pid') as file`);
    if (!rows[0]?.file.startsWith(`${pid}\n`)) throw new Error(`another server answered instead of ${pid}`);
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`. */
async function otherUser(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile('/etc/passwd', 'utf8');
  for (const name of ['postgres', 'nobody']) {
    const match = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(users);
    if (match) return { uid: Number(match[1]), gid: Number(match[2]) };
  }
  throw new Error('PostgreSQL does not run as root: run the tests as another user, or add a user named postgres');
}

/** Root's cache folder is closed to other users: they get a copy of the programs. */
async function readable(binary: Binary, owner?: Owner): Promise<{ binary: Binary; release: () => Promise<void> }> {
  const { root } = binary;
  if (!owner || root === undefined) return { binary, release: async () => undefined };
  const copy = await temporaryFolder('postgres-programs', owner);
  await cp(root, copy, { recursive: true, verbatimSymlinks: true });
  const moved = (path: string): string => path.replaceAll(root, copy);
  const env = Object.fromEntries(Object.entries(binary.env).map(([name, value]) => [name, moved(value)]));
  return {
    binary: { path: join(copy, relative(root, binary.path)), env, root: copy },
    release: () => removeFolder(copy),
  };
}
