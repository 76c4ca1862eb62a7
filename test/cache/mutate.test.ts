/** Shows that nothing is cached under a key while its truth is changed, whoever changes it and whoever dies. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { UnconfirmedError } from 'hotshelf';
import { codeOf, counting, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';

describe.each(forms)('mutate, %s', (form) => {
  it('returns what the write returns, and invalidates every key', async () => {
    const { cache, open } = shelves(form);
    const other = open();
    for (const key of ['a', 'b', 'c']) await cache.get(key, () => 'old');
    expect(await cache.mutate(['a', 'b', 'a'], () => 'result')).toBe('result');
    expect(await other.get('a', () => 'new')).toBe('new');
    expect(await other.get('b', () => 'new')).toBe('new');
    expect(await other.get('c', never)).toBe('old');
  });

  it('takes a list of no keys', async () => {
    expect(await shelves(form).cache.mutate([], async () => 1)).toBe(1);
  });

  it('throws what the write throws, unchanged, and invalidates all the same', async () => {
    const { cache } = shelves(form);
    await cache.get('k', () => 'old');
    const error = new Error('constraint');
    for (const write of [() => Promise.reject(error), () => never2(error)]) {
      await expect(cache.mutate(['k'], write)).rejects.toBe(error);
      expect(await cache.get('k', () => 'new')).toBe('new');
    }
  });

  it('lets loads pass uncached while it writes, here and elsewhere', async () => {
    const { cache, clock, open } = shelves(form);
    const other = open();
    await cache.get('k', () => 'before');
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(0);
    for (const reader of [cache, other]) {
      const events = record(reader);
      expect(await reader.peek('k')).toBeUndefined();
      expect(await reader.lookup('k', () => 'during')).toMatchObject({
        value: 'during',
        status: 'bypass',
        stored: false,
      });
      expect(await reader.get('k', () => 'again')).toBe('again');
      expect(events.filter((event) => event === 'bypass mutation')).toHaveLength(2);
    }
    write.open();
    await mutation;
    expect(await cache.get('k', () => 'after')).toBe('after');
    expect(await other.get('k', never)).toBe('after');
  });

  it('lets readers share a load that passes uncached', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('first', () => 1);
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(0);
    const slow = gate<string>();
    const first = cache.get('k', () => slow.passed);
    await clock.advance(0);
    const second = cache.get('k', never);
    await clock.advance(0);
    slow.open('v');
    expect(await Promise.all([first, second])).toEqual(['v', 'v']);
    write.open();
    await mutation;
  });

  it('does not let a load that it met be stored', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const read = open().get('k', () => slow.passed);
    await clock.advance(0);
    await cache.mutate(['k'], () => {});
    slow.open('old');
    expect(await read).toBe('old');
    await clock.advance(0);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('does not let loads be stored that wait for another process when it begins', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const first = open().get('k', () => slow.passed);
    await clock.advance(0);
    const waiter = cache.lookup('k', () => 'mine');
    await clock.advance(20);
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(100);
    expect(await waiter).toMatchObject({ value: 'mine', status: 'bypass' });
    write.open();
    slow.open('old');
    await Promise.all([mutation, first]);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('keeps its hold for as long as the write takes', async () => {
    const { cache, clock, open } = shelves(form);
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1000);
      expect((await open().lookup('k', () => 1)).status).toBe('bypass');
    }
    write.open();
    await mutation;
    expect((await open().lookup('k', () => 1)).status).toBe('miss');
  });

  it('does not free the hold of another writer', async () => {
    const { clock, open } = shelves(form);
    const writers = [gate(), gate(), gate()].map((write) => ({ ...write, cache: open() }));
    const mutations = writers.map(({ cache, passed }) => cache.mutate(['k'], () => passed));
    await clock.advance(0);
    for (const [index, writer] of writers.entries()) {
      expect((await open().lookup('k', () => 'during')).status).toBe('bypass');
      writer.open();
      await mutations[index];
    }
    expect((await open().lookup('k', () => 'after')).status).toBe('miss');
  });

  it('does not free the hold of a writer that joins while it ends', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const { cache, clock, open } = shelves(form);
      const other = open();
      const writes = [gate(), gate()];
      const first = cache.mutate(['k'], () => writes[0]?.passed);
      await clock.advance(0);
      writes[0]?.open();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      const second = other.mutate(['k'], () => writes[1]?.passed);
      await first;
      await clock.advance(0);
      expect((await open().lookup('k', () => 1)).status, `${turns} turns`).toBe('bypass');
      writes[1]?.open();
      await second;
      expect((await open().lookup('k', () => 1)).status, `${turns} turns`).toBe('miss');
    }
  });

  it('does not free the hold of a writer that takes the place of a load while it ends', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const { cache, clock, open } = shelves(form);
      const write = gate();
      const late = gate();
      const first = cache.mutate(['k'], () => write.passed);
      await clock.advance(0);
      await open().invalidate('k');
      await open().set('k', 'somebody stored past the hold');
      write.open();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      const second = open().mutate(['k'], () => late.passed);
      await first;
      await clock.advance(0);
      expect((await open().lookup('k', () => 1)).status, `${turns} turns`).toBe('bypass');
      late.open();
      await second;
    }
  });

  it('frees the keys 10 s after its process died', async () => {
    const { clock, open } = shelves(form);
    const dying = open({ clock: fakeClock() });
    void dying.mutate(['k'], () => new Promise(() => {}));
    await clock.advance(9900);
    expect((await open().lookup('k', () => 'during')).status).toBe('bypass');
    await clock.advance(200);
    expect((await open().lookup('k', () => 'after')).status).toBe('miss');
  });

  it('frees the keys when the last living writer ends, though a dead one still stands in the list', async () => {
    const { clock, open, cache } = shelves(form);
    const dying = open({ clock: fakeClock() });
    void dying.mutate(['k'], () => new Promise(() => {}));
    const write = gate();
    const living = cache.mutate(['k'], () => write.passed);
    await clock.advance(15_000);
    write.open();
    await living;
    expect((await open().lookup('k', () => 'after')).status).toBe('miss');
  });

  it('keeps the keys uncached for `settle` after the write, and resolves then', async () => {
    const { cache, clock, open } = shelves(form);
    const mutation = cache.mutate(['k'], () => 'done', { settle: '5s' });
    await clock.advance(4900);
    expect(await isSettled(mutation)).toBe(false);
    expect((await open().lookup('k', () => 'old row of a replica')).status).toBe('bypass');
    await clock.advance(100);
    expect(await mutation).toBe('done');
    expect((await open().lookup('k', () => 'new')).status).toBe('miss');
  });

  it('leaves no timer behind', async () => {
    const { open } = shelves(form);
    const own = fakeClock();
    const cache = open({ clock: own });
    await cache.mutate(['k'], () => own.advance(7000), { settle: 0 });
    expect(own.timers).toBe(0);
    await codeOf(cache.mutate(['k'], never));
    expect(own.timers).toBe(0);
  });

  it('leaves nothing in the backend but what it is asked to keep', async () => {
    const { cache, backend, clock } = shelves(form);
    await cache.mutate(['k'], () => {});
    await inTime(clock, cache.clear());
    await clock.advance(20_000);
    expect(await backend.values.get('hs=k')).toBeUndefined();
  });

  it('invalidates what its write names too late, and holds nothing for it', async () => {
    const { cache, clock, open } = shelves(form);
    for (const kept of [[], ['other']]) {
      for (const key of ['a', 'b']) await cache.get(key, () => 'old', { tags: [`tag of ${key}`] });
      const mutation = await cache.mutate(kept, (late) => late);
      await mutation.invalidate('a');
      await mutation.invalidateTags('tag of b');
      for (const key of ['a', 'b']) expect(await open().lookup(key, () => 'new')).toMatchObject({ status: 'miss' });
      await cache.invalidate('a', 'b');
    }
    const timers = clock.timers;
    await clock.advance(60_000);
    expect(clock.timers).toBeLessThanOrEqual(timers);
  });

  it('holds nothing beyond its end when its write does not wait', async () => {
    const { cache, clock, open, wire } = shelves(form);
    wire.before = async (verb, keys) => {
      if (verb === 'add' && keys.includes('hs=a')) await new Promise<void>((resolve) => clock.after(50, resolve));
    };
    const mutation = cache.mutate(['b'], ({ invalidate, invalidateTags }) => {
      void invalidate('a');
      void invalidateTags('t');
    });
    await inTime(clock, mutation);
    await clock.advance(100);
    wire.before = () => {};
    expect(await open().lookup('a', () => 1, { tags: ['t'] })).toMatchObject({ status: 'miss' });
    await clock.advance(0);
    expect(await open().lookup('a', never, { tags: ['t'] })).toMatchObject({ status: 'hit' });
  });

  it('can run inside another one', async () => {
    const { cache } = shelves(form);
    await cache.mutate(['a', 'b'], () => cache.mutate(['b', 'c'], () => {}));
    for (const key of ['a', 'b', 'c']) expect((await cache.lookup(key, () => 1)).status).toBe('miss');
  });

  it('wants a list of keys and a function', async () => {
    const { cache } = shelves(form);
    // @ts-expect-error: one key in the place of the list
    expect(await codeOf(cache.mutate('k', never))).toBe('KEY_INVALID');
    // @ts-expect-error: a number is no key
    expect(await codeOf(cache.mutate([7], never))).toBe('KEY_INVALID');
    // @ts-expect-error: a value in the place of the write
    expect(await codeOf(cache.mutate(['k'], 5))).toBe('OPTION_INVALID');
  });
});

function never2(error: Error): never {
  throw error;
}

describe('mutate over a network', () => {
  it('keeps its hold over a clear', async () => {
    const { cache, clock, open } = shelves();
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(0);
    await inTime(clock, open().clear());
    expect((await open().lookup('k', () => 'during')).status).toBe('bypass');
    write.open();
    await mutation;
  });

  it.each(['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED'] as const)(
    'writes, resolves, says so and tries on when the backend answers nothing but %s',
    async (code) => {
      const { cache, clock, wire, open } = shelves();
      await cache.get('k', () => 'old');
      const events = record(cache);
      const write = counting('result');
      wire.before = failing(code);
      expect(await cache.mutate(['k', 'l'], write)).toBe('result');
      expect(write.calls).toBe(1);
      expect(events).toEqual([`unconfirmed ${code}`]);
      expect(cache.stats().unconfirmed).toBe(2);
      expect(await cache.get('k', () => 'from the origin')).toBe('from the origin');
      wire.before = () => {};
      expect(await cache.get('k', () => 'from the origin')).toBe('from the origin');
      await clock.advance(100);
      expect(events).toContain('confirmed');
      expect(cache.stats().unconfirmed).toBe(0);
      expect(await open().get('k', () => 'new')).toBe('new');
    },
  );

  it('rejects in strict mode with what the write returned', async () => {
    const { cache, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    const error: unknown = await cache.mutate(['k'], () => ({ id: 7 }), { strict: true }).catch((reason) => reason);
    expect(error).toBeInstanceOf(UnconfirmedError);
    expect(error).toMatchObject({
      code: 'INVALIDATION_UNCONFIRMED',
      result: { id: 7 },
      cause: { code: 'BACKEND_DOWN' },
    });
    expect(cache.stats().unconfirmed).toBe(1);
  });

  it('throws the error of the write, also when the backend fails too', async () => {
    const { cache, wire } = shelves();
    wire.before = failing('BACKEND_DOWN');
    const error = new Error('constraint');
    await expect(cache.mutate(['k'], () => Promise.reject(error), { strict: true })).rejects.toBe(error);
    expect(cache.stats().unconfirmed).toBe(1);
  });

  it('is confirmed when the backend was down only at the beginning', async () => {
    const { cache, wire, clock, open } = shelves();
    await cache.get('k', () => 'old');
    const slow = gate<string>();
    const meanwhile = open().get('l', () => slow.passed);
    await clock.advance(0);
    wire.before = failing('BACKEND_DOWN');
    const result = await cache.mutate(
      ['k', 'l'],
      () => {
        wire.before = () => {};
        return 'result';
      },
      { strict: true },
    );
    expect(result).toBe('result');
    slow.open('old');
    await meanwhile;
    await clock.advance(0);
    expect(await open().peek('k')).toBeUndefined();
    expect(await open().peek('l')).toBeUndefined();
    expect(cache.stats().unconfirmed).toBe(0);
  });

  it('leaves no hold behind when only a part of its beginning failed', async () => {
    const { cache, wire, clock, open } = shelves();
    const slow = gate();
    wire.before = (verb, keys) => {
      if (keys[0]?.includes('!hold')) failing('BACKEND_DOWN')(verb, keys);
      return verb === 'add' ? slow.passed : undefined;
    };
    const mutation = cache.mutate(['k'], () => {
      wire.before = () => {};
    });
    await clock.advance(0);
    slow.open();
    await mutation;
    await clock.advance(0);
    expect((await open().lookup('k', () => 1)).status).toBe('miss');
  });

  it('holds on although some renewals fail', async () => {
    const { cache, wire, clock, open } = shelves();
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(1000);
    wire.before = failing('OUTCOME_UNKNOWN');
    await clock.advance(3000);
    wire.before = () => {};
    await clock.advance(30_000);
    expect((await open().lookup('k', () => 1)).status).toBe('bypass');
    write.open();
    await mutation;
    expect((await open().lookup('k', () => 1)).status).toBe('miss');
  });

  it('ends after a renewal that is under way', async () => {
    const { cache, wire, clock, open } = shelves();
    const write = gate();
    const mutation = cache.mutate(['k'], () => write.passed);
    await clock.advance(2900);
    const slow = gate();
    wire.before = (verb) => (verb === 'cas' ? slow.passed : undefined);
    await clock.advance(200);
    write.open();
    await clock.advance(0);
    wire.before = () => {};
    slow.open();
    await mutation;
    await clock.advance(0);
    expect((await open().lookup('k', () => 1)).status).toBe('miss');
  });
});
