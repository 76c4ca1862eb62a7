/** Sends requests to a server of the benchmark, from a process of its own. */
import { installed } from './installed.ts';

export interface LoadOrder {
  readonly url: string;
  readonly amount: number;
  readonly connections: number;
}

export interface LoadReport {
  /** Answers with the status 200. */
  readonly good: number;
}

interface Outcome {
  readonly '2xx': number;
}

const { default: autocannon } = await installed('autocannon');

async function load(order: LoadOrder): Promise<void> {
  const run = autocannon as (options: LoadOrder) => Promise<Outcome>;
  const outcome = await run(order);
  const report: LoadReport = { good: outcome['2xx'] };
  process.send?.(report);
}

process.on('message', (order: LoadOrder) => void load(order));
process.send?.('ready');
