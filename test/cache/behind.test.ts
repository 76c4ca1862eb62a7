/** Shows what becomes of work that no reader waits for: it ends in silence, and the end of the cache waits for it. */

import { describe, expect, it } from 'vitest';
import { fakeClock } from 'hotshelf/testing';
import { codeOf, failing, forms, gate, isSettled, never, record, shelves } from './forms.ts';

const swr = { ttl: '10s', grace: '1h', swr: true } as const;
const early = { ttl: '1m', refresh: 0.1 } as const;
const soft = { ttl: '10s', grace: '1h', timeout: { soft: '100ms' } } as const;
const fail = () => Promise.reject(new Error('the database is down'));

/** Returns the rejections that nobody handled while `work` ran. */
async function unhandled(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const note = (reason: unknown) => void seen.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', note);
  try {
    await work();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
    for (const other of others) process.on('unhandledRejection', other);
  }
  return seen;
}

it('a rejection that nobody handles is seen by these tests', async () => {
  const lost = new Error('lost');
  const seen = await unhandled(async () => {
    void Promise.reject(lost);
  });
  expect(seen).toEqual([lost]);
});

describe.each(forms)('work behind, %s', (form) => {
  it('raises no unhandled rejection when the loader fails', async () => {
    const seen = await unhandled(async () => {
      const { cache, clock } = shelves(form);
      for (const options of [swr, early, soft, { ...early, verify: 1 }, { ...swr, timeout: { hard: '1s' } }] as const) {
        const slow = gate<string>();
        await cache.get('k', () => 'old', options);
        await clock.advance(15_000);
        const read = cache.get('k', () => slow.passed, options);
        await clock.advance(200);
        expect(await read).toBe('old');
        await clock.advance(2000);
        slow.fail(new Error('down'));
        await clock.advance(5000);
        // Loaders that fail at once, in every way.
        for (const throws of [fail, never, () => undefined, () => ({ fn: never })]) {
          await codeOf(cache.get<unknown>('k', throws, options));
          await clock.advance(2000);
        }
        await cache.delete('k');
      }
    });
    expect(seen).toEqual([]);
  });

  it('lets nobody hear of the failure of a load that all who asked for were answered without', async () => {
    const seen = await unhandled(async () => {
      const { cache, clock } = shelves(form);
      await cache.get('k', () => 'old', soft);
      await clock.advance(15_000);
      const slow = gate<string>();
      const reads = Array.from({ length: 3 }, () => cache.get('k', () => slow.passed, soft));
      await clock.advance(100);
      expect(await Promise.all(reads)).toEqual(['old', 'old', 'old']);
      slow.fail(new Error('down'));
      await clock.advance(100);
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['a refresh of a stale entry', swr],
    ['an early refresh', early],
    ['a load that `timeout.soft` was not waited for', soft],
  ] as const)('is waited for by close, with its fill: %s', async (_, options) => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', () => 'old', options);
    await clock.advance(15_000);
    const slow = gate<string>();
    const read = cache.get('k', () => slow.passed, options);
    await clock.advance(100);
    expect(await read).toBe('old');
    const closing = cache.close();
    await clock.advance(1000);
    expect(await isSettled(closing)).toBe(false);
    slow.open('new');
    await closing;
    expect(await open().peek('k')).toBe('new');
  });

  it('is waited for by close for 2 s at most', async () => {
    for (const options of [swr, early, soft]) {
      const { cache, clock } = shelves(form);
      await cache.get('k', () => 'old', options);
      await clock.advance(15_000);
      const read = cache.get('k', () => gate<string>().passed, options);
      await clock.advance(100);
      expect(await read).toBe('old');
      const closing = cache.close();
      await clock.advance(1999);
      expect(await isSettled(closing)).toBe(false);
      await clock.advance(1);
      expect(await isSettled(closing)).toBe(true);
    }
  });

  it('leaves no timer when it is done and the cache is closed', async () => {
    const { clock, open } = shelves(form);
    const own = fakeClock();
    const both = async (ms: number) => void (await Promise.all([clock.advance(ms), own.advance(ms)]));
    const cache = open({ clock: own });
    const options = { ...soft, verify: 1, refresh: 0.5, timeout: { soft: 100, hard: '1s' } } as const;
    await cache.get('k', () => 'old', options);
    await cache.get('k', () => 'new', options);
    await both(6000);
    await cache.get('k', fail, options);
    await both(9000);
    await codeOf(cache.get('k', fail, options));
    await both(2000);
    await cache.get('k', () => 'new', options);
    const closing = cache.close();
    await both(2000);
    await closing;
    await both(500);
    expect(own.timers).toBe(0);
  });
});

describe('work behind over a network', () => {
  it('is waited for by close to the end of a slow fill', async () => {
    for (const options of [swr, early, soft]) {
      const { cache, clock, wire, open } = shelves();
      await cache.get('k', () => 'old', options);
      await clock.advance(15_000);
      const [slow, line] = [gate<string>(), gate()];
      const read = cache.get('k', () => slow.passed, options);
      await clock.advance(100);
      expect(await read).toBe('old');
      wire.before = (verb, keys) => (verb === 'cas' && keys[0] === 'hs=k' ? line.passed : undefined);
      const closing = cache.close();
      slow.open('new');
      await clock.advance(500);
      expect(await isSettled(closing)).toBe(false);
      line.open();
      await closing;
      expect(await open().peek('k')).toBe('new');
    }
  });

  it('raises no unhandled rejection when the backend fails, at whatever step, and tells of it', async () => {
    for (const verb of ['get', 'add', 'cas', 'deleteIf', 'set']) {
      for (const code of ['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED', 'CLOSED'] as const) {
        const { cache, clock, wire } = shelves();
        const events = record(cache);
        const seen = await unhandled(async () => {
          for (const options of [swr, early, soft, { ...early, verify: 1 }]) {
            const tagged = { ...options, tags: ['all'] };
            await cache.get('k', () => 'old', tagged);
            await clock.advance(15_000);
            const slow = gate<string>();
            const read = cache.get('k', () => slow.passed, tagged);
            await clock.advance(100);
            expect(await read).toBe('old');
            wire.before = failing(code, (sent) => sent === verb);
            slow.open('new');
            await clock.advance(3000);
            wire.before = () => {};
            await clock.advance(3000);
            await cache.delete('k');
          }
          await cache.close();
        });
        expect(seen, `${verb} ${code}`).toEqual([]);
        if (verb === 'cas') expect(events).toContain(`failed ${code}`);
      }
    }
  });
});
