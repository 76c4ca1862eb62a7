/** Shows who may share a load, in this process and across processes: nobody gets what was loaded before an invalidation. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import type { Cache } from 'hotshelf';
import { codeOf, counting, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

/** Every way to say that what was loaded is no longer true. */
const endings: readonly (readonly [string, (cache: Cache) => Promise<unknown>])[] = [
  ['invalidate', (cache) => cache.invalidate('k')],
  ['delete', (cache) => cache.delete('k')],
  ['clear', (cache) => cache.clear()],
  ['mutate', (cache) => cache.mutate(['k'], () => {})],
  ['set', (cache) => cache.set('k', 'new')],
];

describe.each(forms)('a load in flight, %s', (form) => {
  it.each(endings)('is not shared with a read that begins after %s, nor stored', async (_, end) => {
    const { cache, clock, open } = shelves(form);
    for (const changer of [cache, open()]) {
      const slow = gate<string>();
      const before = cache.get('k', () => slow.passed);
      await clock.advance(0);
      await inTime(clock, end(changer));
      const after = cache.get('k', () => 'new');
      expect(await after).toBe('new');
      slow.open('old');
      expect(await before).toBe('old');
      await clock.advance(0);
      expect(await cache.peek('k')).toBe('new');
      expect(await cache.get('k', never)).toBe('new');
      await cache.delete('k');
    }
  });

  it.each(endings)('is not shared after %s, though another load took its place meanwhile', async (_, end) => {
    const { cache, clock } = shelves(form);
    const gates = [gate<string>(), gate<string>()];
    const first = cache.get('k', () => gates[0]?.passed ?? never());
    await clock.advance(0);
    await inTime(clock, end(cache));
    const second = cache.get('k', () => gates[1]?.passed ?? never());
    await clock.advance(0);
    gates[0]?.open('old');
    expect(await first).toBe('old');
    gates[1]?.open('new');
    expect(await second).toBe('new');
    expect(await cache.get('k', never)).toBe('new');
  });

  it.each(['before the namespace was ever used', 'later'])(
    'is not shared after a clear although both reads saw the same hold, %s',
    async (when) => {
      const { cache: root, clock, open } = shelves(form);
      const cache = root.namespace('part');
      if (when === 'later') await cache.get('first', () => 1);
      const write = gate();
      const mutation = open()
        .namespace('part')
        .mutate(['k'], () => write.passed);
      await clock.advance(0);
      const slow = gate<string>();
      const before = cache.get('k', () => slow.passed);
      await clock.advance(0);
      await inTime(clock, open().clear());
      const after = cache.get('k', () => 'new');
      await clock.advance(0);
      slow.open('old');
      write.open();
      expect(await before).toBe('old');
      expect(await after).toBe('new');
      await mutation;
    },
  );

  it('counts and tells a refused fill', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await clock.advance(0);
    await cache.invalidate('k');
    slow.open('old');
    await read;
    await clock.advance(0);
    expect(events).toContain('refused');
    expect(cache.stats()).toMatchObject({ fills: 1, refusedFills: 1 });
  });

  it('is waited for by another process', async () => {
    const { cache, clock, open } = shelves(form);
    const other = open();
    const slow = gate<string>();
    const first = cache.get('k', () => slow.passed);
    await clock.advance(0);
    const events = record(other);
    const seconds = [other.lookup('k', never), other.lookup('k', never)];
    await clock.advance(1000);
    slow.open('v');
    await clock.advance(100);
    expect(await first).toBe('v');
    expect(await seconds[0]).toMatchObject({ value: 'v', status: 'hit', stored: false });
    expect(await seconds[1]).toMatchObject({ value: 'v', status: 'collapsed' });
    expect(other.stats()).toMatchObject({ hits: 1, collapsed: 1, misses: 0, loads: 0, hitRatio: 0.5 });
    expect(events).toEqual(['hit']);
  });

  it('is waited for as long as its owner lives, up to `wait`', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const first = cache.get('k', () => slow.passed);
    await clock.advance(0);
    const second = open().get('k', () => 'mine', { wait: '3s' });
    await clock.advance(2900);
    expect(await isSettled(second)).toBe(false);
    await clock.advance(300);
    expect(await second).toBe('mine');
    slow.open('late');
    expect(await first).toBe('late');
    await clock.advance(0);
    expect(await cache.get('k', never)).toBe('mine');
  });

  it('is not waited for with `wait: 0`', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const first = cache.get('k', () => slow.passed);
    await clock.advance(0);
    expect(await open().get('k', () => 'mine', { wait: 0 })).toBe('mine');
    slow.open('late');
    await first;
  });

  it('is taken over once its owner is silent for 400 ms, and its late fill is refused', async () => {
    const { clock, open } = shelves(form);
    const stopped = fakeClock();
    const owner = open({ clock: stopped });
    const slow = gate<string>();
    const first = owner.get('k', () => slow.passed);
    await clock.advance(0);
    const load = counting('new');
    const second = open().get('k', load);
    await clock.advance(399);
    expect(load.calls).toBe(0);
    await clock.advance(100);
    expect(load.calls).toBe(1);
    expect(await second).toBe('new');
    slow.open('old');
    expect(await first).toBe('old');
    await clock.advance(0);
    expect(owner.stats().refusedFills).toBe(1);
    expect(await open().get('k', never)).toBe('new');
  });

  it('keeps its lease for as long as the loader takes, and stores what it brings', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const first = cache.get('k', () => slow.passed, { ttl: '10m' });
    await clock.advance(60_000);
    slow.open('v');
    expect(await first).toBe('v');
    await clock.advance(0);
    expect(cache.stats().refusedFills).toBe(0);
    expect(await open().get('k', never)).toBe('v');
  });

  it('leaves no timer behind', async () => {
    const { clock, open } = shelves(form);
    const own = fakeClock();
    const cache = open({ clock: own });
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await own.advance(1000);
    expect(own.timers).toBe(1);
    slow.open('v');
    await read;
    await clock.advance(0);
    expect(own.timers).toBe(0);
    await codeOf(cache.get('other', never));
    await cache.get('none', () => undefined);
    await clock.advance(0);
    expect(own.timers).toBe(0);
  });
});

describe('a lease over a network', () => {
  it('is taken over at once by its own process when the fill got lost', async () => {
    const { cache, clock, wire, open } = shelves();
    await cache.get('first', () => 1);
    const events = record(cache);
    wire.before = failing('OUTCOME_UNKNOWN', (verb) => verb === 'cas');
    expect(await cache.get('k', () => 'v1')).toBe('v1');
    await clock.advance(0);
    expect(events).toContain('failed OUTCOME_UNKNOWN');
    wire.before = () => {};
    const other = open().get('k', () => 'by another');
    expect(await cache.get('k', () => 'v2')).toBe('v2');
    await clock.advance(100);
    expect(await other).toBe('v2');
  });

  it('is taken over at once by its own process when the release got lost', async () => {
    const { cache, wire } = shelves();
    await cache.get('first', () => 1);
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'deleteIf');
    expect(await cache.get('k', () => undefined)).toBeUndefined();
    expect(await cache.get('k', () => 'v2')).toBe('v2');
    expect(cache.stats().bypasses).toBe(0);
  });

  it('that may or may not have been taken makes the process load around it, and is cleaned away', async () => {
    const { cache, clock, wire, backend } = shelves();
    await cache.get('first', () => 1);
    wire.after = failing('OUTCOME_UNKNOWN', (verb) => verb === 'add');
    expect(await cache.get('k', () => 'v')).toBe('v');
    wire.after = () => {};
    expect(cache.stats().unconfirmed).toBe(1);
    await clock.advance(100);
    expect(cache.stats().unconfirmed).toBe(0);
    expect(await backend.values.get('hs=k')).toBeUndefined();
    expect(await cache.get('k', () => 'next')).toBe('next');
  });

  it('survives a heartbeat that got lost before it came', async () => {
    const { cache, clock, wire, open } = shelves();
    await cache.get('first', () => 1);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await clock.advance(0);
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'cas');
    await clock.advance(150);
    wire.before = () => {};
    await clock.advance(5000);
    slow.open('v');
    await read;
    await clock.advance(0);
    expect(await open().get('k', never)).toBe('v');
  });

  it('whose heartbeat came but was not answered ends with a refused fill, and the key is free at once', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('first', () => 1);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed);
    await clock.advance(0);
    wire.after = failing('OUTCOME_UNKNOWN', (verb) => verb === 'cas');
    await clock.advance(150);
    wire.after = () => {};
    await clock.advance(150);
    slow.open('v');
    expect(await read).toBe('v');
    await clock.advance(0);
    expect(cache.stats().refusedFills).toBe(1);
    expect(await cache.get('k', () => 'next')).toBe('next');
  });

  it('that others always snatch is given up for a load around the cache', async () => {
    const { cache, wire, backend } = shelves();
    await cache.get('first', () => 1);
    let turn = 0;
    wire.before = async (verb) => {
      if (verb !== 'add' && verb !== 'cas') return;
      turn += 1;
      await backend.values.set('hs=k', Buffer.from(`foreign ${turn}`), 1000);
    };
    // The test's own writes pass the wire too.
    const { before } = wire;
    wire.before = (verb, keys) => (keys[0] === 'hs=k' && verb !== 'set' ? before(verb, keys) : undefined);
    const events = record(cache);
    expect(await cache.get('k', () => 'v')).toBe('v');
    expect(events).toContain('bypass contended');
  });
});

describe('a read over a network that begins while another is on its way', () => {
  it('shares the load only if that begins later', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('first', () => 1);
    const held = gate();
    wire.before = (verb) => (verb === 'get' ? held.passed : undefined);
    const reads = [cache.get('k', () => 'once'), cache.get('k', never), cache.get('k', never)];
    await clock.advance(0);
    held.open();
    expect(await Promise.all(reads)).toEqual(['once', 'once', 'once']);
    expect(cache.stats()).toMatchObject({ loads: 2, collapsed: 2 });
  });

  it('does not take an entry from an answer that left before the invalidation', async () => {
    const { cache, clock, wire } = shelves();
    await cache.set('k', 'old');
    const answer = gate();
    wire.after = (verb) => (verb === 'get' ? answer.passed : undefined);
    const early = cache.get('k', never);
    await clock.advance(0);
    wire.after = () => {};
    await cache.invalidate('k');
    expect(await cache.get('k', () => 'new')).toBe('new');
    answer.open();
    expect(await early).toBe('old');
    expect(await cache.get('k', never)).toBe('new');
  });
});
