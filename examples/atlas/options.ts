/** What can be said on the command line and in the environment. */

import { parseArgs } from 'node:util';

export interface Options {
  readonly help: boolean;
  readonly port: number;
  readonly instances: number;
  /** The command line asked for several instances: then each is a process… */
  readonly wantedProcesses: boolean;
  /** …if there is a cache that processes can share. */
  readonly areProcesses: boolean;
  /** Load only the largest so many cities. */
  readonly limit: number | undefined;
  readonly backendUrl: string;
  /** A PostgreSQL; without it SQLite in memory. */
  readonly databaseUrl: string | undefined;
}

export const usage = `Usage: npm start -- [options]

  --instances <n>  number of instances, 1 to 32 (default 2). They share one process, unless HOTSHELF_URL names
                   a server: then --instances starts one process each
  --limit <n>      load only the n largest cities
  --help           show this

  PORT             where to listen (default 3000)
  HOTSHELF_URL     where to cache: memory: (default), redis://host:6379, memcached://host:11211
  DATABASE_URL     postgres://user:password@host/database (default: SQLite in memory)`;

/** What the user did wrong, in one line. */
export class UsageError extends Error {}

export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const values = parse(args);
  const backendUrl = env['HOTSHELF_URL'] || 'memory:';
  const wantedProcesses = values.instances !== undefined && values.instances !== '1';
  return {
    help: values.help,
    port: readNumber(env['PORT'] || '3000', 'PORT', 0, 65_535),
    instances: readNumber(values.instances ?? '2', '--instances', 1, 32),
    wantedProcesses,
    areProcesses: wantedProcesses && !/^memory:/i.test(backendUrl),
    limit: values.limit === undefined ? undefined : readNumber(values.limit, '--limit', 1, 1_000_000),
    backendUrl,
    databaseUrl: readDatabaseUrl(env['DATABASE_URL'] || undefined),
  };
}

function parse(args: readonly string[]): { instances?: string; limit?: string; help: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        instances: { type: 'string' },
        limit: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    // Its messages have a second sentence about positional arguments, which there are none of.
    const [sentence = ''] = (error as Error).message.split('. ');
    throw new UsageError(sentence);
  }
}

function readNumber(text: string, name: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`Expected ${name} to be a whole number from ${least} to ${most}, got "${text}"`);
}

function readDatabaseUrl(url: string | undefined): string | undefined {
  if (url === undefined || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url))) return url;
  throw new UsageError('Expected DATABASE_URL to be a URL that begins with postgres://');
}
