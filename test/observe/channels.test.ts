/** Shows what Node's diagnostics channels are told, and that nothing is done for them while nobody listens. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import type { LoadMessage } from 'hotshelf/observe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CacheEvents, traceLoad } from '../../src/observe/channels.ts';
import type { CacheEvent } from '../../src/observe/events.ts';

const about = { cache: 'city', key: 'hs/city:#7', behind: false };
const loads = tracingChannel<unknown, LoadMessage>('hotshelf:load');
const parts = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

/** Notes each message with the part of the channel that it came on. */
function record(): { readonly part: string; readonly message: LoadMessage }[] {
  const seen: { part: string; message: LoadMessage }[] = [];
  for (const part of parts) on(part, (message) => seen.push({ part, message }));
  return seen;
}

function on(part: (typeof parts)[number], listener: (message: LoadMessage) => void): void {
  const own = (message: unknown) => listener(message as LoadMessage);
  const name = `tracing:hotshelf:load:${part}`;
  subscribe(name, own);
  cleanups.push(() => unsubscribe(name, own));
}

describe('the channel hotshelf:load', () => {
  it('is left alone while nobody listens: a traced load is the load itself', async () => {
    const spies = parts.flatMap((part) => [vi.spyOn(loads[part], 'publish'), vi.spyOn(loads[part], 'runStores')]);
    const promise = Promise.resolve(7);
    expect(loads.hasSubscribers).toBe(false);
    expect(traceLoad(about, () => promise)).toBe(promise);
    await promise;
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    // Control: these are the functions that a subscriber would have called.
    record();
    await traceLoad(about, () => promise);
    expect(spies.some((spy) => spy.mock.calls.length > 0)).toBe(true);
    for (const spy of spies) spy.mockRestore();
  });

  it('tells of a load from start to end, with one object', async () => {
    const seen = record();
    expect(await traceLoad(about, async () => 'value')).toBe('value');
    expect(seen.map(({ part }) => part)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(new Set(seen.map(({ message }) => message)).size).toBe(1);
    expect(seen[0]?.message).toMatchObject(about);
  });

  it('tells of a load that fails, and what it threw reaches the caller unchanged', async () => {
    const seen = record();
    const error = new Error('down');
    await expect(traceLoad(about, () => Promise.reject(error))).rejects.toBe(error);
    expect(seen.map(({ part }) => part)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(seen.at(-1)?.message.error).toBe(error);
  });

  it('begins the load once, whatever it does', async () => {
    record();
    const load = vi.fn<() => Promise<number>>(() => {
      throw new Error('at once');
    });
    await expect(traceLoad(about, load)).rejects.toThrow('at once');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('never has the value', async () => {
    const seen = record();
    const value = { secret: 'hunter2' };
    expect(await traceLoad(about, async () => value)).toBe(value);
    for (const { message } of seen) {
      expect(Object.values(message)).not.toContain(value);
      expect(JSON.stringify(message)).not.toContain('hunter2');
    }
  });

  it('is heard as well by one who listens to the end alone', async () => {
    const ended: string[] = [];
    on('asyncEnd', ({ key }) => ended.push(key));
    await traceLoad(about, async () => 1);
    expect(ended).toEqual([about.key]);
  });

  it('lets subscribers run the load inside something of theirs, each around those before it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const order: string[] = [];
    on('start', ({ wrap }) => wrap((load) => storage.run('mine', load)));
    on('start', ({ wrap }) =>
      wrap(async (load) => {
        order.push('before');
        await load();
        order.push('after');
      }),
    );
    const value = await traceLoad(about, async () => {
      await Promise.resolve();
      order.push('load');
      return storage.getStore();
    });
    expect(value).toBe('mine');
    expect(storage.getStore()).toBeUndefined();
    await vi.waitFor(() => expect(order).toEqual(['before', 'load', 'after']));
  });

  it('tells those who wrap a load that it failed', async () => {
    const caught: unknown[] = [];
    on('start', ({ wrap }) => wrap((load) => load().catch((error: unknown) => void caught.push(error))));
    const error = new Error('down');
    await expect(traceLoad(about, () => Promise.reject(error))).rejects.toBe(error);
    expect(caught).toEqual([error]);
  });

  it.each<[string, Parameters<LoadMessage['wrap']>[0]]>([
    ['throws', () => expect.unreachable('mine')],
    ['rejects', () => Promise.reject(new Error('mine'))],
    ['never calls the load', () => Promise.resolve()],
    ['never ends', () => new Promise(() => undefined)],
    ['calls the load twice', async (load) => void (await Promise.all([load(), load()]))],
    ['rejects after the load', (load) => load().then(() => Promise.reject(new Error('mine')))],
  ])('loads once and answers although a subscriber %s', async (_, inContext) => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    on('start', ({ wrap }) => wrap(inContext));
    const load = vi.fn<() => Promise<number>>(async () => 7);
    expect(await traceLoad(about, load)).toBe(7);
    expect(load).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  it('warns of a subscriber that throws', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    on('start', ({ wrap }) =>
      wrap(() => {
        throw new Error('mine');
      }),
    );
    await traceLoad(about, async () => 7);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('mine'), { code: 'HOTSHELF_LISTENER' });
    warn.mockRestore();
  });
});

describe('the channel hotshelf:event', () => {
  const hit: CacheEvent = { type: 'hit', cache: 'default', key: 'hs:a', tier: 'local' };

  it('is told nothing while nobody listens there, and no events need be built', () => {
    const publish = vi.spyOn(channel('hotshelf:event'), 'publish');
    const events = new CacheEvents();
    expect(events.observed).toBe(false);
    const heard: CacheEvent[] = [];
    events.on((event) => heard.push(event));
    events.emit(hit);
    expect(heard).toEqual([hit]);
    expect(publish).not.toHaveBeenCalled();
    publish.mockRestore();
  });

  it('hears the events of every cache, those without listeners included', () => {
    const heard: unknown[] = [];
    const listener = (message: unknown) => heard.push(message);
    const [one, other] = [new CacheEvents(), new CacheEvents()];
    subscribe('hotshelf:event', listener);
    expect([one.observed, other.observed]).toEqual([true, true]);
    one.emit(hit);
    other.emit({ type: 'confirmed', cache: 'default' });
    expect(heard).toEqual([hit, { type: 'confirmed', cache: 'default' }]);
    unsubscribe('hotshelf:event', listener);
    expect(one.observed).toBe(false);
    one.emit(hit);
    expect(heard).toHaveLength(2);
  });

  it('goes on telling while a listener of the cache is left', () => {
    const events = new CacheEvents();
    const leave = events.on(() => undefined);
    expect(events.observed).toBe(true);
    leave();
    expect(events.observed).toBe(false);
  });
});
