/** Shows that an invalidation which the backend did not confirm is remembered, distrusted and repeated. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { codeOf, failing, gate, never, record, shelves } from './forms.ts';

const codes = ['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED'] as const;

describe.each(codes)('an invalidation that ends with %s', (code) => {
  it('rejects with it, and reads of the key go to the origin until the backend confirms', async () => {
    const { cache, clock, wire, open } = shelves();
    await cache.get('k', () => 'old');
    await cache.get('other', () => 'fine');
    const events = record(cache);
    wire.before = failing(code, (verb) => verb === 'delete');
    expect(await codeOf(cache.invalidate('k'))).toBe(code);
    expect(cache.stats().unconfirmed).toBe(1);
    expect(await cache.peek('k')).toBeUndefined();
    expect(await cache.lookup('k', () => 'new')).toMatchObject({ value: 'new', status: 'bypass' });
    expect(await cache.get('other', never)).toBe('fine');
    await clock.advance(3000);
    expect(await cache.lookup('k', () => 'newer')).toMatchObject({ value: 'newer', status: 'bypass' });
    wire.before = () => {};
    await clock.advance(1000);
    expect(events.at(0)).toBe(`unconfirmed ${code}`);
    expect(events).toContain('bypass unconfirmed');
    expect(events.at(-1)).toBe('confirmed');
    expect(cache.stats().unconfirmed).toBe(0);
    expect(await open().get('k', () => 'newest')).toBe('newest');
    expect(await cache.get('k', never)).toBe('newest');
  });

  it('does the same for delete and clear', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old');
    wire.before = failing(code, (verb) => verb === 'delete' || verb === 'set');
    expect(await codeOf(cache.delete('k'))).toBe(code);
    expect(await codeOf(cache.clear())).toBe(code);
    expect(cache.stats().unconfirmed).toBe(2);
    expect((await cache.lookup('never seen', () => 'new')).status).toBe('bypass');
    wire.before = () => {};
    await clock.advance(1000);
    expect(cache.stats().unconfirmed).toBe(0);
    expect(await cache.get('k', () => 'new')).toBe('new');
  });

  it('does the same for a set, which may or may not have been stored', async () => {
    const { cache, clock, wire } = shelves();
    await cache.set('k', 'old');
    wire.after = failing(code, (verb) => verb === 'set');
    expect(await codeOf(cache.set('k', 'new'))).toBe(code);
    wire.after = () => {};
    expect(await cache.get('k', () => 'from the origin')).toBe('from the origin');
    await clock.advance(200);
    expect(await cache.peek('k')).toBeUndefined();
  });
});

describe('unconfirmed invalidations', () => {
  it('are not stale after the backend came back with an old entry', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old');
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.invalidate('k'));
    await clock.advance(10_000);
    // The backend answers again, and the old entry is still there.
    wire.before = () => {};
    expect(await cache.get('k', () => 'new')).toBe('new');
  });

  it('are repeated at once when the backend says that it is up', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('k', () => 'old');
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.invalidate('k'));
    await clock.advance(10_000);
    wire.before = () => {};
    wire.tell({ type: 'up', server: 'localhost:1' });
    await clock.advance(0);
    expect(cache.stats().unconfirmed).toBe(0);
  });

  it('are repeated every second at most, while the backend is down', async () => {
    const { cache, clock, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.invalidate('k'));
    await clock.advance(5000);
    wire.sent.length = 0;
    await clock.advance(10_000);
    expect(wire.sent).toHaveLength(10);
  });

  it('are repeated although new ones keep coming', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('a', () => 'old');
    wire.before = failing('OUTCOME_UNKNOWN', (verb) => verb === 'delete');
    await codeOf(cache.invalidate('a'));
    wire.before = failing(
      'OUTCOME_UNKNOWN',
      (verb, keys) => verb === 'delete' && keys.length === 1 && keys[0] !== 'hs=a',
    );
    for (let round = 0; round < 20; round += 1) {
      await codeOf(cache.invalidate(`b${round}`));
      await clock.advance(50);
    }
    wire.before = () => {};
    expect(await cache.lookup('a', () => 'new')).toMatchObject({ status: 'miss', value: 'new' });
  });

  it('of a key that is invalidated again meanwhile wait for the later one', async () => {
    const { cache, clock, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.invalidate('k'));
    const answer = gate();
    wire.before = () => {};
    wire.after = (verb) => (verb === 'delete' ? answer.passed : undefined);
    await clock.advance(100);
    // The repetition is on its way; now the key changes again, and that is not confirmed either.
    wire.before = failing('OUTCOME_UNKNOWN', (verb) => verb === 'delete');
    await codeOf(cache.invalidate('k'));
    answer.open();
    await clock.advance(0);
    expect(cache.stats().unconfirmed).toBe(1);
    expect((await cache.lookup('k', () => 1)).status).toBe('bypass');
    wire.before = () => {};
    wire.after = () => {};
    await clock.advance(1000);
    expect(cache.stats().unconfirmed).toBe(0);
  });

  it('do not count as confirmed while a later clear is not', async () => {
    const { cache, clock, wire } = shelves();
    const events = record(cache);
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.clear());
    const answer = gate();
    wire.before = () => {};
    wire.after = (verb) => (verb === 'set' ? answer.passed : undefined);
    await clock.advance(100);
    wire.before = failing('OUTCOME_UNKNOWN', (verb) => verb === 'set');
    await codeOf(cache.clear());
    answer.open();
    await clock.advance(0);
    expect(events).not.toContain('confirmed');
    expect(cache.stats().unconfirmed).toBe(1);
    wire.before = () => {};
    await clock.advance(1000);
    expect(events).toContain('confirmed');
  });

  it('of a clear concern the namespace and those inside it, however often it was made, and no other', async () => {
    const { cache, wire } = shelves();
    const inside = cache.namespace('a').namespace('b');
    const sibling = cache.namespace('ab');
    for (const space of [cache, cache.namespace('a'), inside, sibling]) await space.get('k', () => 'old');
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'set');
    await codeOf(cache.namespace('a').clear());
    expect((await cache.namespace('a').lookup('k', () => 'new')).status).toBe('bypass');
    expect((await cache.namespace('a', { ttl: '5s' }).lookup('k', () => 'new')).status).toBe('bypass');
    expect((await inside.lookup('k', () => 'new')).status).toBe('bypass');
    expect(
      (
        await cache
          .namespace('a')
          .namespace('b')
          .lookup('k', () => 'new')
      ).status,
    ).toBe('bypass');
    expect((await sibling.lookup('k', never)).status).toBe('hit');
    expect((await cache.lookup('k', never)).status).toBe('hit');
  });

  it('that are too many to be counted one by one make the whole cache distrusted until it was cleared', async () => {
    const { cache, clock, wire } = shelves();
    await cache.get('kept', () => 'old');
    wire.before = failing('BACKEND_DOWN');
    for (let round = 0; round < 3; round += 1) {
      const keys = Array.from({ length: 40_000 }, (_, index) => `k${round}-${index}`);
      await codeOf(cache.invalidate(...keys));
    }
    expect(cache.stats().unconfirmed).toBeLessThan(100_000);
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'set' || verb === 'delete');
    for (const key of ['kept', 'k0-0', 'k2-39999'])
      expect((await cache.lookup(key, () => 'new')).status).toBe('bypass');
    wire.before = () => {};
    await clock.advance(1000);
    expect(cache.stats().unconfirmed).toBe(0);
    expect(await cache.lookup('kept', () => 'new')).toMatchObject({ status: 'miss', value: 'new' });
  });

  it('are sent in batches', async () => {
    const { cache, clock, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    await codeOf(cache.invalidate(...Array.from({ length: 1200 }, (_, index) => `k${index}`)));
    wire.before = () => {};
    wire.sent.length = 0;
    await clock.advance(100);
    expect(wire.sent.map((sent) => sent.split(' ').length - 1)).toEqual([500, 500, 200]);
  });

  it('are tried once more by close, which then lets go of the backend and of its timers', async () => {
    for (const backendIs of ['up', 'down']) {
      const { wire, open } = shelves();
      const own = fakeClock();
      const cache = open({ clock: own });
      const watchers = wire.watchers;
      wire.before = failing('BACKEND_DOWN');
      await codeOf(cache.invalidate('k'));
      expect(own.timers).toBe(1);
      if (backendIs === 'up') wire.before = () => {};
      wire.sent.length = 0;
      await cache.close();
      expect(wire.sent).toEqual(['delete hs=k']);
      expect(own.timers).toBe(0);
      expect(wire.watchers).toBe(watchers - 1);
      expect(cache.stats().unconfirmed).toBe(backendIs === 'up' ? 0 : 1);
    }
  });
});

describe('reads around the backend', () => {
  it('share a load only with callers that came before it began', async () => {
    const { cache, clock, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    const first = gate<string>();
    const second = gate<string>();
    const early = [cache.get('k', () => first.passed), cache.get('k', never)];
    await clock.advance(0);
    const late = [cache.get('k', () => second.passed), cache.get('k', never)];
    await clock.advance(0);
    first.open('old');
    expect(await Promise.all(early)).toEqual(['old', 'old']);
    await clock.advance(0);
    second.open('new');
    expect(await Promise.all(late)).toEqual(['new', 'new']);
    expect(cache.stats()).toMatchObject({ loads: 2, bypasses: 2, collapsed: 2 });
  });
});
