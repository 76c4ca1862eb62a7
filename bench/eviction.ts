/** Compares hit ratios and speed of S3-FIFO with an LRU made of a plain Map, on traces of the kinds that caches meet. */

import { fileURLToPath } from 'node:url';
import { FifoMap, FifoNode, S3Fifo } from '../src/support/s3-fifo.ts';
import { seededRandom } from '../src/testing/random.ts';

interface Contender {
  readonly name: string;
  /** Returns a function that asks for a key, stores it on a miss, and tells whether it was there. */
  readonly make: (capacity: number) => (key: string) => boolean;
}

const contenders: readonly Contender[] = [
  {
    name: 'LRU (plain Map)',
    make: (capacity) => {
      const map = new Map<string, object>();
      return (key) => {
        const node = map.get(key);
        if (node !== undefined) {
          map.delete(key);
          map.set(key, node);
          return true;
        }
        map.set(key, {});
        if (map.size > capacity) map.delete(map.keys().next().value ?? '');
        return false;
      };
    },
  },
  {
    name: 'S3-FIFO',
    make: (capacity) => {
      const map = new FifoMap<FifoNode>(new S3Fifo({ maxWeight: Infinity, maxEntries: capacity }));
      return (key) => map.get(key) !== undefined || !map.put(new FifoNode(key, 1));
    },
  },
];

interface Trace {
  readonly name: string;
  readonly capacity: number;
  readonly keys: readonly string[];
}

const objects = 100_000;
const requests = 1_000_000;

/** Returns a function that draws ranks from 0, where rank r comes 1 / (r + 1) times as often as rank 0. */
function zipf(count: number, random: () => number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank += 1) sums[rank] = sum += 1 / (rank + 1);
  return () => {
    const aim = random() * sum;
    let low = 0;
    for (let high = count - 1; low < high;) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) < aim) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function traces(): Trace[] {
  const random = seededRandom(42);
  const draw = zipf(objects, random);
  // Keys as applications have them, made once: the traces share their strings.
  const names = Array.from({ length: objects }, (_, index) => `shop:product=${index}`);
  const named = (index: number) => names[index % objects] ?? '';
  const trace = (next: (step: number) => string, count = requests) =>
    Array.from({ length: count }, (_, step) => next(step));

  // Every tenth stretch of 2,000 requests reads keys in a row that nobody asks for again.
  const scanned = trace((step) => (step % 20_000 >= 18_000 ? `scan:${step}` : named(draw())));
  // Which keys are the popular ones changes every 100,000 requests.
  const shifting = trace((step) => named(draw() + Math.floor(step / 100_000) * 7919));
  const sliding = trace((step) => named(Math.floor(step / 100) + Math.floor(random() * 1500)));
  return [
    { name: 'Zipf 1.0, 1 % fits', capacity: 1000, keys: trace(() => named(draw())) },
    { name: 'Zipf 1.0, 10 % fit', capacity: 10_000, keys: trace(() => named(draw())) },
    { name: 'Zipf 1.0 with scans, 1 % fits', capacity: 1000, keys: scanned },
    { name: 'Zipf 1.0, popularity shifts', capacity: 1000, keys: shifting },
    { name: 'working set that slides, 2/3 fits', capacity: 1000, keys: sliding },
    { name: 'loop of twice the capacity', capacity: 1000, keys: trace((step) => named(step % 2000), 500_000) },
    { name: 'everything fits (hits only)', capacity: objects, keys: trace(() => named(draw())) },
  ];
}

function measure(make: Contender['make'], { capacity, keys }: Trace): { ratio: number; perSecond: number } {
  const ask = make(capacity);
  let hits = 0;
  // The processor's time, not the clock's: other work on the machine does not count.
  const before = process.cpuUsage();
  for (const key of keys) if (ask(key)) hits += 1;
  const seconds = process.cpuUsage(before).user / 1e6;
  return { ratio: hits / keys.length, perSecond: keys.length / seconds };
}

/** The better of two: the first one also warms up. */
function best(make: Contender['make'], trace: Trace): { ratio: number; perSecond: number } {
  const runs = [1, 2].map(() => measure(make, trace));
  return runs.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
}

/** Returns the section of the results. */
export async function eviction(): Promise<string> {
  const columns = contenders.flatMap(({ name }) => [`${name}: hits`, 'M ops/s']);
  const lines = [`| trace | ${columns.join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length)}`];
  for (const trace of traces()) {
    const cells = contenders.flatMap(({ make }) => {
      const { ratio, perSecond } = best(make, trace);
      return [`${(ratio * 100).toFixed(1)} %`, (perSecond / 1e6).toFixed(1)];
    });
    lines.push(`| ${trace.name} | ${cells.join(' | ')} |`);
  }
  return `## Hit ratios of eviction\n\n${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await eviction());
