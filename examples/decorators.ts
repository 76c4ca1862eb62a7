/**
 * A repository whose methods are cached where they are written.
 *
 * Run: node --conditions=hotshelf:source --import tsx examples/decorators.ts
 * The same decorators work as standard ones and with `experimentalDecorators`.
 */

import { connect, createCache } from 'hotshelf';
import { cached, invalidates, keyOf } from 'hotshelf/decorators';

const backend = await connect(process.env['HOTSHELF_URL'] || 'memory:');
const cache = createCache({ backend, prefix: 'example-decorators', ttl: '5m', grace: '1h' });

class Cities {
  /** The origin: a table, a count of the queries, and a database that can fail. */
  readonly #table = new Map([[7, 'Nizza']]);
  queries = 0;
  isDown = false;

  @cached(cache)
  async name(id: number): Promise<string | null> {
    this.#query();
    return this.#table.get(id) ?? null;
  }

  @invalidates(cache, function (this: Cities, id: number) {
    return [keyOf(this, 'name', id)];
  })
  async rename(id: number, name: string): Promise<void> {
    this.#query();
    this.#table.set(id, name);
  }

  #query(): void {
    this.queries += 1;
    if (this.isDown) throw new Error('the database is down');
  }
}

const cities = new Cities();

await Promise.all([cities.name(7), cities.name(7), cities.name(7)]);
console.log(`${await cities.name(7)}: four calls, ${cities.queries} query`);

await cities.rename(7, 'Nice');
console.log(`${await cities.name(7)}: the new name at once`);

// Soft: stale from now on, and still good where the database fails.
await cache.invalidate(keyOf(cities, 'name', 7), { soft: true });
cities.isDown = true;
console.log(`${await cities.name(7)}: from the grace, while the database is down`);

await cache.close();
await backend.close();
