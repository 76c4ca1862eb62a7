/** Starts the atlas: reads options, opens the front, fills the database, starts the instances, and ends them all again. */

import { randomBytes } from 'node:crypto';
import { connect, HotshelfError } from 'hotshelf';
import { DatabaseUnusable } from './database/database.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { Front } from './front.ts';
import { type Options, readOptions, usage, UsageError } from './options.ts';
import { showProgress } from './progress.ts';

/** So long running requests may take once the end has begun; all the rest takes 5 s at most. */
const requestsLimitMs = 4000;

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) console.log(usage);
  else await start(options);
} catch (error) {
  process.exit(explain(error));
}

async function start(options: Options): Promise<void> {
  const startedAt = performance.now();
  const cache = await describeCache(options.backendUrl);
  const front = new Front();
  const port = await front.listen(options.port);
  let fleet: Fleet | undefined;
  onEndSignal(async () => {
    console.log('Finishing what is running');
    fleet?.drain();
    await front.drain(requestsLimitMs);
    await fleet?.close();
    process.exit(0);
  });
  fleet = await startFleet(front, {
    ...options,
    secrets: options.secrets.length > 0 ? options.secrets : [randomBytes(32).toString('base64url')],
    onProgress: showProgress(process.stdout),
    report: (problem) => console.error(problem),
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(welcome(options, `http://localhost:${port}`, cache, seconds));
}

function welcome(options: Options, url: string, cache: string, seconds: string): string {
  const { databaseUrl, breakOriginMs } = options;
  const breaks = breakOriginMs === undefined ? '' : `, stops answering after ${breakOriginMs / 1000} s`;
  return `
Atlas is ready at ${url} after ${seconds} s
  instances  ${describeInstances(options)}
  cache      ${cache}
  database   ${databaseUrl === undefined ? 'SQLite in memory' : 'PostgreSQL'}${breaks}
  sessions   ${describeSecrets(options)}

Try each twice, and see Cache-Status and X-Instance:
  curl -i ${url}/cities/2988507
  curl -i '${url}/countries/FR/cities?page=2'
  curl -i '${url}/cities/near?lat=-16.9&lon=180'
`;
}

function describeInstances({ instances, areProcesses, wantedProcesses }: Options): string {
  if (areProcesses) return `${instances} processes`;
  const why = wantedProcesses ? '; processes need a cache that they can share: set HOTSHELF_URL' : '';
  return `${instances} in one process${why}`;
}

function describeSecrets({ secrets }: Options): string {
  if (secrets.length > 0) return 'signed with SESSION_SECRET';
  return 'signed with a random secret, good until the atlas ends: set SESSION_SECRET to keep them';
}

/** The name of the backend and whether it answers; the URL may have credentials, so it is not shown. */
async function describeCache(url: string): Promise<string> {
  const backend = await connect(url);
  const { ok, reason } = await backend.health();
  await backend.close();
  return ok ? backend.name : `${backend.name}, not answering (${reason}): the atlas works without it until it does`;
}

/** npm passes on a Ctrl-C that the terminal has sent to every process already: a second signal is no second wish. */
function onEndSignal(end: () => Promise<void>): void {
  let ending: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      ending ??= end();
    });
  }
}

/** One line for what the user can put right, a stack for what he cannot. Returns the exit code. */
function explain(error: unknown): number {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (error instanceof UsageError) console.error(`${message}. See --help.`);
  else if (error instanceof HotshelfError) console.error(`HOTSHELF_URL: ${message}`);
  else if (error instanceof DatabaseUnusable) console.error(message);
  else if (code === 'EADDRINUSE')
    console.error(`Port ${port} is taken. Name another one: PORT=${Number(port) + 1} npm start`);
  else if (code === 'EACCES')
    console.error(`This user may not listen on port ${port}. Name one from 1024: PORT=3000 npm start`);
  else console.error(error);
  return error instanceof UsageError || error instanceof HotshelfError ? 2 : 1;
}
