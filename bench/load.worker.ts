/** Sends requests to a server of the benchmark, from a process of its own. */
import { installed } from './installed.ts';

export interface LoadOrder {
  readonly url: string;
  readonly amount: number;
  readonly connections: number;
  /** What each connection sends in the field `Cookie`. */
  readonly cookies?: readonly string[];
}

export interface LoadReport {
  /** Answers with the status 200. */
  readonly good: number;
}

interface Outcome {
  readonly '2xx': number;
}

interface Options extends LoadOrder {
  readonly setupClient: (client: { setHeaders(headers: Readonly<Record<string, string>>): void }) => void;
}

const { default: autocannon } = await installed('autocannon');

async function load(order: LoadOrder): Promise<void> {
  const run = autocannon as (options: Options) => Promise<Outcome>;
  const cookies = [...(order.cookies ?? [])];
  const outcome = await run({
    ...order,
    setupClient: (client) => {
      const cookie = cookies.pop();
      if (cookie !== undefined) client.setHeaders({ cookie });
    },
  });
  const report: LoadReport = { good: outcome['2xx'] };
  process.send?.(report);
}

process.on('message', (order: LoadOrder) => void load(order));
process.send?.('ready');
