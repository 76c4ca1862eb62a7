/** Starts the atlas: reads options, opens the front, fills the database, starts the instances, and ends them all again. */

import { connect, HotshelfError } from 'hotshelf';
import { type Fleet, startFleet } from './fleet.ts';
import { Front } from './front.ts';
import { type Options, readOptions, usage, UsageError } from './options.ts';
import { showProgress } from './progress.ts';

/** A drain takes this long for requests, and 4.5 s at most for everything else. */
const requestsLimitMs = 4000;

try {
  await main();
} catch (error) {
  fail(error);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) {
    console.log(usage);
    return;
  }
  const front = new Front();
  const port = await front.listen(options.port);
  const startedAt = performance.now();
  let fleet: Fleet | undefined;
  onceSignalled(async () => {
    console.log('Draining');
    fleet?.drain();
    await front.drain(requestsLimitMs);
    await fleet?.close();
    process.exit(0);
  });
  fleet = await startFleet(front, {
    ...options,
    onProgress: showProgress(process.stdout),
    report: (problem) => console.error(problem),
  });
  console.log(await welcome(options, port, performance.now() - startedAt));
}

async function welcome(options: Options, port: number, ms: number): Promise<string> {
  const { instances, areProcesses, databaseUrl } = options;
  const url = `http://localhost:${port}`;
  const where = areProcesses ? `${instances} processes` : `${instances} in one process`;
  return `
Atlas is ready at ${url} after ${(ms / 1000).toFixed(1)} s
  instances  ${where}
  cache      ${await describeBackend(options.backendUrl)}
  database   ${databaseUrl === undefined ? 'SQLite in memory' : 'PostgreSQL'}

Try:
  curl -i ${url}/cities/2988507
  curl -i '${url}/countries/FR/cities?page=2'
  curl -i -X PATCH -H 'Content-Type: application/json' -d '{"name":"Lutetia"}' ${url}/cities/2988507
`;
}

/** Says which backend it is, without the credentials that the URL may have, and whether it answers. */
async function describeBackend(url: string): Promise<string> {
  const backend = await connect(url);
  const { ok, reason } = await backend.health();
  await backend.close();
  return ok ? backend.name : `${backend.name}, which does not answer (${reason}); the atlas works without it`;
}

/** npm hands Ctrl-C on to a process that has got it already: the second signal is the first. */
function onceSignalled(end: () => Promise<void>): void {
  let ending: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => (ending ??= end()));
}

/** One line for what the user can put right; a stack for what he cannot. */
function fail(error: unknown): never {
  const { code, message, port } = Object(error) as { code?: unknown; message?: string; port?: number };
  if (error instanceof UsageError) exit(2, `${message}. See --help`);
  if (error instanceof HotshelfError) exit(2, `HOTSHELF_URL: ${message}`);
  if (code === 'EADDRINUSE') exit(1, `Port ${port} is taken. Choose another one: PORT=${Number(port) + 1} npm start`);
  if (code === 'EACCES')
    exit(1, `Port ${port} may not be used by this user. Choose one above 1023: PORT=3000 npm start`);
  if (code !== undefined) exit(1, `The database cannot be used: ${message || String(code)}`);
  console.error(error);
  process.exit(1);
}

function exit(code: number, line: string): never {
  console.error(line);
  process.exit(code);
}
