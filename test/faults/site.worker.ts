/** A site under load: reads through its cache without a pause and records how each answer came. */
import { connect, createCache, type BackendWith, type Cache } from 'hotshelf';
import { Redis } from 'ioredis';
import { seededRandom } from '../kit/random.ts';
import { serve } from '../kit/serve.ts';
import { type StallWatch, stalledMs, watchStalls } from '../kit/stalls.ts';
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
let watch: StallWatch | undefined;
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

function withStalls({ startedAt, tookMs, status }: Omit<Answer, 'stalledMs'>): Answer {
  return { startedAt, tookMs, stalledMs: stalledMs(watch?.stalls ?? [], startedAt, startedAt + tookMs), status };
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
    watch = watchStalls(now);
    loopsDone = Promise.all(Array.from({ length: loops }, (_, seed) => readOn(from, seed)));
  },
  /** Blocks this process. */
  block(ms: number) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
  async end() {
    running = false;
    await loopsDone;
    watch?.stop();
    const result = { answers: answers.map(withStalls), stalls: [...(watch?.stalls ?? [])], unhandled };
    answers = [];
    await cache?.close();
    await backend?.close();
    return result;
  },
});

export type SiteHandlers = typeof handlers;
