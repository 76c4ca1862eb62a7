/** What can be said on the command line and in the environment. */

import { parseArgs } from 'node:util';
import { limitDefaults } from './limits.ts';

export interface Options {
  /** The command line as it was given: worker processes get the same. */
  readonly args: readonly string[];
  readonly help: boolean;
  readonly port: number;
  readonly instances: number;
  /** The command line asked for several instances: then each is a process… */
  readonly wantedProcesses: boolean;
  /** …if there is a cache that processes can share. */
  readonly areProcesses: boolean;
  /** Requests of one address in a minute. */
  readonly requestsPerMinute: number;
  /** Of one user in a quarter of an hour. */
  readonly failedLogins: number;
  /** Load only the largest so many cities. */
  readonly limit: number | undefined;
  /** How long what was read is fresh. */
  readonly ttlMs: number;
  /** So long after the start the database stops answering; `undefined` for never. */
  readonly breakOriginMs: number | undefined;
  readonly backendUrl: string;
  /** A PostgreSQL; without it SQLite in memory. */
  readonly databaseUrl: string | undefined;
  /** Sign the cookies of sessions; none if nobody said any. */
  readonly secrets: readonly string[];
}

const shortestSecret = 32;

export const usage = `Usage: npm start -- [options]

  --instances <n>  number of instances, 1 to 32 (default 2). They share one process, unless HOTSHELF_URL names
                   a server: then --instances starts one process each
  --limit <n>      load only the n largest cities
  --ttl <time>     how long what was read is fresh, such as 500ms, 2s or 5m (default 5m)
  --break-origin <time>
                   the database stops answering so long after the start: what is known is still answered, for a day.
                   See it with --ttl 2s --break-origin 20s
  --rate <n>       requests a minute from one address (default ${limitDefaults.requestsPerMinute})
  --failed-logins <n>
                   wrong passwords for one user in 15 minutes (default ${limitDefaults.failedLogins}); ten times as many from one address
  --help           show this

  PORT             where to listen (default 3000)
  HOTSHELF_URL     where to cache: memory: (default), redis://host:6379, memcached://host:11211
  DATABASE_URL     postgres://user:password@host/database (default: SQLite in memory)
  SESSION_SECRET   signs the cookies of sessions, ${shortestSecret} characters or more (default: a random one for each start).
                   Of several, with commas between them, the first one signs and all are accepted`;

/** What the user did wrong, in one line. */
export class UsageError extends Error {}

export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const values = parse(args);
  const backendUrl = env['HOTSHELF_URL'] || 'memory:';
  const wantedProcesses = values.instances !== undefined && values.instances !== '1';
  const breakOrigin = values['break-origin'];
  return {
    args,
    help: values.help,
    port: readNumber(env['PORT'] || '3000', 'PORT', 0, 65_535),
    instances: readNumber(values.instances ?? '2', '--instances', 1, 32),
    wantedProcesses,
    areProcesses: wantedProcesses && !/^memory:/i.test(backendUrl),
    requestsPerMinute: readNumber(values.rate ?? String(limitDefaults.requestsPerMinute), '--rate', 1, 1_000_000),
    failedLogins: readNumber(
      values['failed-logins'] ?? String(limitDefaults.failedLogins),
      '--failed-logins',
      1,
      10_000,
    ),
    limit: values.limit === undefined ? undefined : readNumber(values.limit, '--limit', 1, 1_000_000),
    ttlMs: readSpan(values.ttl ?? '5m', '--ttl'),
    breakOriginMs: breakOrigin === undefined ? undefined : readSpan(breakOrigin, '--break-origin'),
    backendUrl,
    databaseUrl: readDatabaseUrl(env['DATABASE_URL'] || undefined),
    secrets: readSecrets(env['SESSION_SECRET'] || undefined),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        instances: { type: 'string' },
        limit: { type: 'string' },
        rate: { type: 'string' },
        'failed-logins': { type: 'string' },
        ttl: { type: 'string' },
        'break-origin': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
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

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Returns ms. */
function readSpan(text: string, name: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})(ms|s|m)$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new UsageError(`Expected ${name} to be a time such as 500ms, 2s or 5m, got "${text}"`);
}

function readDatabaseUrl(url: string | undefined): string | undefined {
  if (url === undefined || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url))) return url;
  throw new UsageError('Expected DATABASE_URL to be a URL that begins with postgres://');
}

function readSecrets(text: string | undefined): string[] {
  const secrets = text?.split(',') ?? [];
  if (secrets.every((secret) => secret.length >= shortestSecret)) return secrets;
  throw new UsageError(
    `Expected SESSION_SECRET to have ${shortestSecret} characters or more, such as those of \`openssl rand -base64 32\``,
  );
}
