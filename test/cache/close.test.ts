/** Shows what is left of a cache after its end: reads go to the origin, changes are refused, nothing goes on behind. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { codeOf, forms, gate, isSettled, never, record, shelves } from './forms.ts';

describe.each(forms)('a closed cache, %s', (form) => {
  it('reads from the origin, and its namespaces too', async () => {
    const { cache, open } = shelves(form);
    const part = cache.namespace('part');
    for (const each of [cache, part]) {
      await each.get('k', () => 'cached');
      await each.get('k', never);
    }
    const events = record(cache);
    await cache.close();
    for (const each of [cache, part]) {
      expect(await each.get('k', () => 'origin')).toBe('origin');
      expect(await each.lookup('k', () => 'origin')).toMatchObject({ value: 'origin', status: 'bypass' });
      expect(await each.peek('k')).toBeUndefined();
    }
    expect(events.filter((event) => event === 'bypass closed')).toHaveLength(4);
    expect(await open().get('k', never)).toBe('cached');
  });

  it('refuses changes, and does not write', async () => {
    const { cache } = shelves(form);
    await cache.close();
    const changes = [
      cache.set('k', 1),
      cache.invalidate('k'),
      cache.delete('k'),
      cache.clear(),
      cache.mutate(['k'], never),
    ];
    expect(await Promise.all(changes.map(codeOf))).toEqual(changes.map(() => 'CLOSED'));
    expect(await codeOf(cache.invalidate())).toBe('none');
  });

  it('closes once, from any namespace, and is disposed of by `await using`', async () => {
    const { cache, open } = shelves(form);
    await cache.namespace('part').close();
    await cache.close();
    expect(await codeOf(cache.set('k', 1))).toBe('CLOSED');
    const other = open();
    await other[Symbol.asyncDispose]();
    expect(await codeOf(other.set('k', 1))).toBe('CLOSED');
  });

  it('does not wait for a hit to be verified once more, and loads no more for it', async () => {
    const { cache, clock } = shelves(form);
    let loads = 0;
    const load = () => (loads += 1);
    await cache.get('k', load, { verify: 1 });
    await cache.get('k', load, { verify: 1 });
    await clock.advance(500);
    const closing = cache.close();
    await clock.advance(0);
    expect(await isSettled(closing)).toBe(true);
    await clock.advance(5000);
    expect([loads, cache.stats().inconsistent]).toEqual([2, 0]);
  });

  it('lets a load that is going on end, and leaves no timer', async () => {
    const { open, clock } = shelves(form);
    const own = fakeClock();
    const cache = open({ clock: own });
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    const mutation = cache.mutate(['l'], () => slow.passed);
    await clock.advance(0);
    await cache.close();
    slow.open('v');
    expect(await read).toBe('v');
    expect(await mutation).toBe('v');
    await clock.advance(0);
    expect(own.timers).toBe(0);
    expect((await open().lookup('l', () => 1)).status).toBe('miss');
  });

  it('says nothing bad when the backend was closed first', async () => {
    const { cache, backend, clock } = shelves(form);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await clock.advance(0);
    await backend.close();
    slow.open('v');
    expect(await read).toBe('v');
    expect(await cache.get('k', () => 'origin')).toBe('origin');
    expect(await codeOf(cache.invalidate('k'))).toBe('CLOSED');
    await cache.close();
  });
});

describe('close over a network', () => {
  it('waits for fills, but at most 2 s', async () => {
    for (const answers of [true, false]) {
      const { cache, wire, clock } = shelves();
      await cache.get('first', () => 1);
      const slow = gate();
      wire.before = (verb) => (verb === 'cas' ? slow.passed : undefined);
      await cache.get('k', () => 'v');
      const closing = cache.close();
      await clock.advance(1900);
      expect(await isSettled(closing)).toBe(false);
      if (answers) slow.open();
      else await clock.advance(100);
      await closing;
      slow.open();
    }
  });
});
