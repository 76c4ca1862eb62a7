/** One of the processes of a stampede: asks for a cold key with many callers at once, and tells how many loads that took. */
import { connect, createCache } from './hotshelf.ts';
import { sleep } from '../test/kit/wait.ts';

export interface StampedeOrder {
  readonly url: string;
  readonly naive: boolean;
  readonly callers: number;
}

const loadMs = 60;

async function prepare({ url, naive, callers }: StampedeOrder): Promise<() => Promise<number>> {
  const backend = await connect(url, { requireWithin: '10s' });
  const cache = createCache({ backend, ttl: '1h' });
  let loads = 0;
  const load = async () => {
    loads += 1;
    await sleep(loadMs);
    return { id: 7 };
  };
  const readNaively = async () => {
    const stored = await backend.values.get('cold');
    if (stored === undefined) await backend.values.set('cold', Buffer.from(JSON.stringify(await load())), 3_600_000);
  };
  // What a first call teaches the process and the server is no part of the stampede.
  await cache.get('warm', load);
  const read: () => Promise<unknown> = naive ? readNaively : () => cache.get('cold', load);
  return async () => {
    loads = 0;
    await Promise.all(Array.from({ length: callers }, read));
    return loads;
  };
}

let begin: (() => Promise<number>) | undefined;

async function answer(order: StampedeOrder | 'begin'): Promise<number | undefined> {
  if (order === 'begin') return begin?.();
  begin = await prepare(order);
  return undefined;
}

process.on('message', (order: StampedeOrder | 'begin') => {
  void answer(order).then((loads) => process.send?.({ loads }));
});
