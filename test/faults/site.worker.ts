/** A site under load: reads through its cache without a pause and records how each answer came. */
import { connect, createCache, type BackendWith, type Cache } from 'hotshelf';
import { Redis } from 'ioredis';
import { seededRandom } from '../kit/random.ts';
import { serve } from '../kit/serve.ts';
import { sleep } from '../kit/wait.ts';
import type { Answer } from './answers.ts';

const loops = 20;
const keys = 150;
const originMs = 2;

type Reading = Pick<Cache, 'lookup' | 'close'>;

let backend: BackendWith<'values'> | undefined;
let cache: Reading | undefined;
let running = false;
let loopsDone: Promise<unknown> = Promise.resolve();
let answers: Omit<Answer, 'stalledMs'>[] = [];
/** When this process could not run: from, to. */
let stalls: (readonly [number, number])[] = [];
let unhandled = 0;

process.on('unhandledRejection', () => (unhandled += 1));
process.on('uncaughtException', () => (unhandled += 1));

/** The machine's monotonic clock in ms: the same in all processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

function truth(key: string) {
  return { key, text: 'x'.repeat(200), numbers: [1, 2, 3] };
}

async function readOnce(key: string, from: Reading): Promise<void> {
  const startedAt = now();
  let status: Answer['status'] = 'failed';
  try {
    const { value, status: how } = await from.lookup(['row', key], async () => {
      await sleep(originMs);
      return truth(key);
    });
    status = JSON.stringify(value) === JSON.stringify(truth(key)) ? how : 'wrong';
  } catch {
    status = 'failed';
  }
  answers.push({ startedAt, tookMs: now() - startedAt, status });
}

async function readOn(from: Reading, seed: number): Promise<void> {
  const random = seededRandom(seed);
  while (running) {
    await readOnce(String(Math.floor(random() * keys)), from);
    await sleep(random() * 8);
  }
}

/** Cache-aside with nothing but a client, as it comes. */
function bareCache(url: string): Reading {
  const redis = new Redis(url);
  redis.on('error', () => {});
  return {
    async lookup(key: unknown, load: (context: never) => unknown) {
      const full = JSON.stringify(key);
      const cached = await redis.get(full);
      const value = (cached === null ? await load({} as never) : JSON.parse(cached)) as never;
      if (cached === null) await redis.set(full, JSON.stringify(value), 'PX', 700);
      return { value, status: cached === null ? 'miss' : 'hit', stored: true, ageMs: 0, ttlMs: 0 };
    },
    close: async () => redis.disconnect(),
  };
}

/** Notes when this process itself could not run: what the machine did is not what the cache did. */
async function watchStalls(): Promise<void> {
  while (running) {
    const before = now();
    await sleep(10);
    if (now() - before > 25) stalls.push([before + 10, now()]);
  }
}

function withStalls({ startedAt, tookMs, status }: Omit<Answer, 'stalledMs'>): Answer {
  const endedAt = startedAt + tookMs;
  let stalledMs = 0;
  for (const [from, to] of stalls) stalledMs += Math.max(0, Math.min(to, endedAt) - Math.max(from, startedAt));
  return { startedAt, tookMs, stalledMs, status };
}

const handlers = serve({
  async open(url: string) {
    if (url.startsWith('bare:')) {
      cache = bareCache(url.replace('bare:', 'redis:'));
      return;
    }
    backend = await connect(url);
    // Lives short enough that loads go on all the time.
    cache = createCache({ backend, ttl: 700 });
  },
  begin() {
    if (cache === undefined) throw new Error('call open() first');
    const from = cache;
    running = true;
    loopsDone = Promise.all([watchStalls(), ...Array.from({ length: loops }, (_, seed) => readOn(from, seed))]);
  },
  /** Blocks this process. */
  block(ms: number) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
  async end() {
    running = false;
    await loopsDone;
    const result = { answers: answers.map(withStalls), unhandled };
    answers = [];
    stalls = [];
    await cache?.close();
    await backend?.close();
    return result;
  },
});

export type SiteHandlers = typeof handlers;
