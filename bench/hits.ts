/** Makes contenders whose rounds count only if every operation was the hit that it is called. */
import type { Cache } from '../src/index.ts';
import { until } from '../test/kit/wait.ts';
import type { Contender } from './measure.ts';
import type { Load, Peer } from './peers.ts';

/** Returns what a contender does around a round so that `cache` answers from this process, and only from it. */
export function localHits(cache: Cache, read: () => Promise<unknown>): Required<Pick<Contender, 'before' | 'after'>> {
  let seen = 0;
  return {
    async before() {
      const isLocal = async () => {
        seen = cache.stats().localHits;
        await read();
        return cache.stats().localHits > seen;
      };
      await until(isLocal, { what: 'a hit in this process' });
      seen = cache.stats().localHits;
    },
    after(count) {
      const found = cache.stats().localHits - seen;
      if (found !== count) throw new Error(`Only ${found} of ${count} reads were answered in this process.`);
    },
  };
}

/** Returns a contender that reads `key` through another cache; `load` is called once, before the first round. */
export async function peerHits(name: string, peer: Peer, key: string, load: Load): Promise<Contender> {
  let loads = 0;
  const counting = async () => {
    loads += 1;
    return load();
  };
  await peer.get(key, counting);
  return {
    name,
    async run(count) {
      for (let index = 0; index < count; index += 1) await peer.get(key, counting);
    },
    after() {
      if (loads !== 1) throw new Error(`${name} loaded ${loads} times where it should have had hits.`);
    },
  };
}
