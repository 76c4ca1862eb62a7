/** Compares what to evict: hit ratios and speed of the local tier's S3-FIFO, LRU, SIEVE and W-TinyLFU. */
import { policies, type Ask, type MakeAsk } from './eviction/contenders.ts';
import { type Trace, traces } from './eviction/traces.ts';
import { openAll } from './installed.ts';
import { compare, type Contender, type Effort, grid } from './measure.ts';

interface Policy extends Contender {
  readonly hitRatio: number;
}

/** Every round begins with an empty cache and asks for the whole trace. */
function policy(name: string, make: MakeAsk, { capacity, keys }: Trace): Policy {
  let ask: Ask;
  let hits = 0;
  return {
    name,
    async before() {
      ask = make(capacity);
      hits = 0;
    },
    async run() {
      for (const key of keys) if (ask(key)) hits += 1;
    },
    get hitRatio() {
      return hits / keys.length;
    },
  };
}

/** Returns the section of the results. */
export async function eviction(effort: Effort): Promise<string> {
  const opened = await openAll(policies);
  const names = opened.map(([name]) => name);
  const ratios: string[][] = [];
  const speeds: string[][] = [];
  for (const trace of traces()) {
    const contenders = opened.map(([name, make]) => policy(name, make, trace));
    const results = await compare(contenders, trace.keys.length, { rounds: Math.min(effort.rounds, 3), share: 1 });
    ratios.push([trace.name, ...contenders.map(({ hitRatio }) => `${(hitRatio * 100).toFixed(1)} %`)]);
    speeds.push([trace.name, ...results.map(({ cpuNs }) => cpuNs.toFixed(0))]);
  }
  const about =
    'A million requests (loops: half a million) for a hundred thousand keys. ' +
    'transitory evicts in batches and keeps up to 1 % more than it may.';
  return `## Hit ratios of eviction\n\n${about}\n\n${grid(['hits', ...names], ratios)}\n\n${grid(['CPU ns/request', ...names], speeds)}\n`;
}
