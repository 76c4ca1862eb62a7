/** The ways to choose what is evicted that are compared, each as one question: was this key there? It is stored if not. */
import { FifoMap, FifoNode, S3Fifo } from '../hotshelf.ts';
import { type Class, installed } from '../installed.ts';

export type Ask = (key: string) => boolean;
export type MakeAsk = (capacity: number) => Ask;

interface MapLike {
  get(key: string): object | undefined;
  set(key: string, value: object): unknown;
}

function asking(map: MapLike): Ask {
  return (key) => {
    if (map.get(key) !== undefined) return true;
    map.set(key, {});
    return false;
  };
}

interface Transitory {
  getIfPresent(key: string): object | null;
  set(key: string, value: object): unknown;
}

export const policies: Readonly<Record<string, () => Promise<MakeAsk>>> = {
  'LRU (lru-cache)': async () => {
    const { LRUCache } = await installed('lru-cache');
    return (capacity) => asking(new (LRUCache as Class)({ max: capacity }) as MapLike);
  },
  'SIEVE (@neophi/sieve-cache)': async () => {
    const { SieveCache } = await installed('@neophi/sieve-cache');
    return (capacity) => asking(new (SieveCache as Class)(capacity) as MapLike);
  },
  'W-TinyLFU (transitory)': async () => {
    const { newCache } = await installed('transitory');
    type Builder = { maxSize(size: number): { build(): Transitory } };
    return (capacity) => {
      const cache = (newCache as () => Builder)().maxSize(capacity).build();
      return (key) => {
        if (cache.getIfPresent(key) !== null) return true;
        cache.set(key, {});
        return false;
      };
    };
  },
  'S3-FIFO (**hotshelf**)': async () => (capacity) => {
    const map = new FifoMap(new S3Fifo({ maxWeight: Infinity, maxEntries: capacity }));
    return (key) => map.get(key) !== undefined || !map.put(new FifoNode(key, 1));
  },
};
