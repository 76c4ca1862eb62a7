/** One instance in a process of its own: `processes.ts` starts it. */

import { connect } from 'hotshelf';
import type { Database } from './database/database.ts';
import { databaseOfParent } from './database/over-ipc.ts';
import { openPostgres } from './database/postgres.ts';
import { stopsAnswering } from './database/stops-answering.ts';
import { closeInOrder } from './fleet.ts';
import { Front } from './front.ts';
import { createInstance } from './instance.ts';
import { readOptions } from './options.ts';
import type { ToWorker } from './processes.ts';

const [name = '', parentDatabase = '', ...args] = process.argv.slice(2);
const options = readOptions(args, process.env);
const { backendUrl, databaseUrl, secrets, ttlMs, breakOriginMs } = options;

const database = stopsAnswering(openDatabase(), breakOriginMs);
const backend = await connect(backendUrl);
const instance = createInstance({
  name,
  backend,
  database,
  secrets,
  ttlMs,
  limits: options,
  report: (error) => console.error(error),
});
const front = new Front();
front.add(instance.app);

process.on('message', ({ kind }: ToWorker) => {
  if (kind === 'drain') instance.drain();
  if (kind === 'close') void end();
});
// Ctrl-C reaches every process of the terminal; the parent says when it is time.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => void end());
process.on('disconnect', () => void end());

const port = await front.listen(0, '127.0.0.1');
process.send?.({ kind: 'listening', port });

function openDatabase(): Database {
  return databaseUrl === undefined ? databaseOfParent(parentDatabase) : openPostgres(databaseUrl);
}

let ending: Promise<void> | undefined;
function end(): Promise<void> {
  ending ??= (async () => {
    instance.drain();
    await front.drain(500);
    await closeInOrder(
      () => instance.close(),
      () => backend.close(),
      () => database.close(),
    );
    process.exit(0);
  })();
  return ending;
}
