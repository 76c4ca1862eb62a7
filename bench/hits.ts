/** Makes contenders whose rounds count only if every operation was the hit that it is called. */
import type { Cache } from '../src/index.ts';
import { until } from '../test/kit/wait.ts';
import type { Contender } from './measure.ts';
import type { Load, Peer } from './peers.ts';

/** Returns what a contender does around a round so that `cache` answers from this process, and only from it. */
export function localHits(cache: Cache, read: () => Promise<unknown>): Required<Pick<Contender, 'before' | 'wrong'>> {
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
    wrong(count) {
      const found = cache.stats().localHits - seen;
      return found === count ? undefined : `only ${found} of ${count} reads were answered in this process`;
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
    async before() {
      loads = 0;
    },
    wrong() {
      return loads === 0 ? undefined : `${loads} loads where there should have been hits`;
    },
  };
}
