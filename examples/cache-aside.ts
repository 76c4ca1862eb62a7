/**
 * Cache-aside in one file.
 *
 * Run: node --conditions=hotshelf:source --import tsx examples/cache-aside.ts
 * With HOTSHELF_URL=redis://localhost:6379 the same lines cache on Redis.
 */

import { connect, createCache } from 'hotshelf';

const backend = await connect(process.env['HOTSHELF_URL'] || 'memory:');
const cache = createCache({ backend, prefix: 'example', ttl: '5m' });

// The origin: a table with one row, and a count of the queries.
const table = new Map([[7, { id: 7, name: 'Nizza' }]]);
let queries = 0;
const loadCity = async (id: number) => {
  queries += 1;
  return table.get(id) ?? null;
};
const cityOf = (id: number) => cache.get(['city', id], () => loadCity(id));

// A hundred callers, one load.
const answers = await Promise.all(Array.from({ length: 100 }, () => cityOf(7)));
console.log(`${answers.length} callers got ${answers[0]?.name}: ${queries} query`);

// The write and the invalidation in one step: whoever reads after this line gets the new name.
await cache.mutate([['city', 7]], () => table.set(7, { id: 7, name: 'Nice' }));
console.log(`After the change: ${(await cityOf(7))?.name}, ${queries} queries`);

const { hits, misses, collapsed } = cache.stats();
console.log(`Hits ${hits}, misses ${misses}, collapsed ${collapsed}`);

await cache.close();
await backend.close();
