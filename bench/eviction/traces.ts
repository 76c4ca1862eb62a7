/** The traces that eviction is compared on: of the kinds that caches meet, and the same in every run. */
import { seededRandom } from '../../src/testing/random.ts';

export interface Trace {
  readonly name: string;
  readonly capacity: number;
  readonly keys: readonly string[];
}

const objects = 100_000;
const requests = 1_000_000;

/** Returns a function that draws ranks from 0, where rank r comes 1 / (r + 1) ^ `exponent` times as often as rank 0. */
function zipf(exponent: number, random: () => number): () => number {
  const sums = new Float64Array(objects);
  let sum = 0;
  for (let rank = 0; rank < objects; rank += 1) sums[rank] = sum += 1 / (rank + 1) ** exponent;
  return () => {
    const aim = random() * sum;
    let low = 0;
    for (let high = objects - 1; low < high;) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) < aim) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Makes one trace at a time: together they would fill the memory that is measured in. */
export function* traces(): Generator<Trace> {
  const random = seededRandom(42);
  const popular = zipf(1, random);
  const flatter = zipf(0.8, random);
  const oneOf = (count: number) => Math.floor(random() * count);
  // Keys as applications have them, made once: the traces share their strings.
  const names = Array.from({ length: objects }, (_, index) => `shop:product=${index}`);
  const named = (index: number) => names[index % objects] ?? '';
  const trace = (next: (step: number) => string, count = requests) =>
    Array.from({ length: count }, (_, step) => next(step));
  // Every tenth stretch of 2,000 requests reads keys in a row that nobody asks for again.
  const scanned = (next: () => string) => trace((step) => (step % 20_000 >= 18_000 ? `scan:product=${step}` : next()));

  yield { name: 'Zipf 1.0, 1 % fits', capacity: 1000, keys: trace(() => named(popular())) };
  yield { name: 'Zipf 1.0, 10 % fit', capacity: 10_000, keys: trace(() => named(popular())) };
  yield { name: 'Zipf 0.8, 1 % fits', capacity: 1000, keys: trace(() => named(flatter())) };
  yield { name: 'Zipf 0.8, 10 % fit', capacity: 10_000, keys: trace(() => named(flatter())) };
  yield { name: 'Zipf 1.0 with scans, 1 % fits', capacity: 1000, keys: scanned(() => named(popular())) };
  yield { name: 'hot set of 4/5 the capacity, with scans', capacity: 1000, keys: scanned(() => named(oneOf(800))) };
  const shifted = (step: number) => named(popular() + Math.floor(step / 100_000) * 7919);
  yield { name: 'Zipf 1.0, other keys are popular every 100,000 requests', capacity: 1000, keys: trace(shifted) };
  const slid = (step: number) => named(Math.floor(step / 100) + oneOf(1500));
  yield { name: 'working set that slides, 2/3 fit', capacity: 1000, keys: trace(slid) };
  yield { name: 'loop of 1.1 times the capacity', capacity: 1000, keys: trace((step) => named(step % 1100), 500_000) };
  yield { name: 'loop of twice the capacity', capacity: 1000, keys: trace((step) => named(step % 2000), 500_000) };
  yield { name: 'everything fits (hits only)', capacity: objects, keys: trace(() => named(popular())) };
}
