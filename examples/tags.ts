/**
 * Tags: one command ends every list that a change makes untrue, also those that are just being loaded.
 *
 * Run: node --conditions=hotshelf:source --import tsx examples/tags.ts
 */

import { connect, createCache } from 'hotshelf';

const backend = await connect(process.env['HOTSHELF_URL'] || 'memory:');
const cache = createCache({ backend, prefix: 'example-tags', ttl: '5m' });

// The origin.
let table = [
  { name: 'Antibes', country: 'FR', people: 76_393 },
  { name: 'Anzio', country: 'IT', people: 59_187 },
  { name: 'Nice', country: 'FR', people: 338_620 },
];

/** The cities whose names begin with some letters. In which countries they lie is known only when they are loaded. */
const search = (start: string) =>
  cache.get(['search', start], () => table.filter(({ name }) => name.startsWith(start)), {
    tags: (found) => [['search'], ...found.map(({ country }) => ['country', country])],
  });

const show = async (...starts: string[]): Promise<void> => {
  const before = cache.stats().loads;
  const lists = await Promise.all(starts.map(search));
  const names = lists.map((list) => list.map(({ name, people }) => `${name} ${people}`).join(', ')).join(' | ');
  console.log(`${names}: ${cache.stats().loads - before} loads`);
};

await show('Anti', 'Anz', 'Ni');
await show('Anti', 'Anz', 'Ni');

// One more in Nice: the two lists with a city in France are loaded again, and the third is not.
table = table.map((city) => (city.name === 'Nice' ? { ...city, people: city.people + 1 } : city));
await cache.invalidateTags([['country', 'FR']]);
await show('Anti', 'Anz', 'Ni');

// A new city may belong to any list.
table.push({ name: 'Antwerp', country: 'BE', people: 459_805 });
await cache.invalidateTags([['search']]);
await show('Ant', 'Anz', 'Ni');

await cache.close();
await backend.close();
