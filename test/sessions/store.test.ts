/** What the store promises beyond the suite: costs, what is stored, limits, and what happens to data that is not ours. */

import { encrypted, jsonCodec } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { SessionStore, type SessionEvent, type SessionStoreOptions } from 'hotshelf/sessions';
import { fakeClock } from 'hotshelf/testing';
import { describe, expect, it } from 'vitest';
import { fresh, promised } from './calls.ts';
import { counted } from './counted.ts';

const sid = 'Zx_9'.repeat(8);

function setUp(options: Partial<SessionStoreOptions> = {}) {
  const clock = fakeClock({ now: Date.now() });
  const { backend, trips } = counted(memory({ clock }));
  const store = new SessionStore({ backend, clock, ...options });
  const events: SessionEvent[] = [];
  store.watch((event) => events.push(event));
  return { clock, backend, trips, store, calls: promised(store), events };
}

describe('a request costs', () => {
  it('one trip when it only reads', async () => {
    const { calls, trips } = setUp();
    await calls.set(sid, fresh({ views: 1 }));
    trips.reset();
    const data = await calls.get(sid);
    await calls.touch(sid, data ?? {});
    await calls.set(sid, data ?? {});
    expect(trips.list).toEqual(['getMany']);
  });

  it('two trips when it writes', async () => {
    const { calls, trips } = setUp();
    await calls.set(sid, fresh({ views: 1 }));
    trips.reset();
    const data = await calls.get(sid);
    await calls.set(sid, { ...data, views: 2 });
    expect(trips.list.length).toBeGreaterThan(2);
    trips.reset();
    const again = (await calls.get(sid)) ?? {};
    again.views = 3;
    await calls.set(sid, again);
    expect(trips.list).toEqual(['getMany', 'cas']);
  });

  it('one trip more when a tenth of the ttl has passed', async () => {
    const { calls, trips, clock } = setUp({ ttl: 1000 });
    await calls.set(sid, fresh({ views: 1 }));
    await clock.advance(99);
    trips.reset();
    await calls.touch(sid, (await calls.get(sid)) ?? {});
    expect(trips.list).toEqual(['getMany']);
    await clock.advance(1);
    trips.reset();
    await calls.touch(sid, (await calls.get(sid)) ?? {});
    expect(trips.list).toEqual(['getMany', 'cas']);
  });
});

describe('what is stored', () => {
  const dump = async (backend: ReturnType<typeof counted>['backend'], keys: readonly string[]) => {
    const found = await backend.values.getMany(keys);
    return found.map((one) => Buffer.from(one?.bytes ?? []).toString('latin1')).join('\n');
  };

  it('holds no id that a cookie could carry, unless hashIds is off', async () => {
    const hashed = setUp();
    await hashed.calls.set(sid, fresh({ text: 'a' }));
    expect(hashed.trips.keys.join(' ')).not.toContain(sid);
    expect(await dump(hashed.backend, hashed.trips.keys)).not.toContain(sid);
    const plain = setUp({ hashIds: false });
    await plain.calls.set(sid, fresh({ text: 'a' }));
    expect(plain.trips.keys.join(' ')).toContain(sid);
  });

  it('is encrypted when the codec encrypts, and readable through a rotation of keys and of codecs', async () => {
    const [old, next] = ['a'.repeat(64), 'b'.repeat(64)];
    const codec = encrypted(jsonCodec, { keys: [old] });
    const { backend, clock, calls, trips } = setUp();
    await calls.set('plain', fresh({ text: 'open word' }));
    const first = promised(new SessionStore({ backend, clock, codec, alsoRead: [jsonCodec] }));
    expect((await first.get('plain'))?.text).toBe('open word');
    await first.set(sid, fresh({ text: 'secret word' }));
    expect(await dump(backend, trips.keys)).toContain('open word');
    expect(await dump(backend, trips.keys)).not.toContain('secret word');
    const rotated = encrypted(jsonCodec, { keys: [next, old] });
    const second = promised(new SessionStore({ backend, clock, codec: rotated }));
    expect((await second.get(sid))?.text).toBe('secret word');
    expect(await second.get('plain')).toBeUndefined();
    const stranger = promised(
      new SessionStore({ backend, clock, codec: encrypted(jsonCodec, { keys: ['c'.repeat(64)] }) }),
    );
    expect(await stranger.get(sid)).toBeUndefined();
  });

  it('is refused beyond maxBytes, with a reason, and stays as it was', async () => {
    const { calls } = setUp({ maxBytes: 2000 });
    await calls.set(sid, fresh({ views: 1 }));
    const data = (await calls.get(sid)) ?? {};
    data.text = 'x'.repeat(3000);
    await expect(calls.set(sid, data)).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
      message: expect.stringContaining('2000'),
    });
    expect(await calls.get(sid)).toMatchObject({ views: 1 });
    expect(await calls.get(sid)).not.toHaveProperty('text');
  });
});

describe('the object of a request', () => {
  it('is known only to the store that gave it', async () => {
    const [one, other] = [setUp(), setUp()];
    await one.calls.set(sid, fresh({ views: 1 }));
    const data = (await one.calls.get(sid)) ?? {};
    await other.calls.set(sid, data);
    expect(await other.calls.get(sid)).toMatchObject({ views: 1 });
    await other.calls.set(sid, Object.assign(data, { views: 2 }));
    expect(await other.calls.get(sid)).toMatchObject({ views: 2 });
    expect(await one.calls.get(sid)).toMatchObject({ views: 1 });
  });

  it('shows nothing of what the store knows of it, and may be frozen', async () => {
    const { calls, store } = setUp();
    await calls.set(sid, fresh({ views: 1 }));
    const data = (await calls.get(sid)) ?? {};
    expect(new Set(Reflect.ownKeys(data))).toEqual(new Set(['cookie', 'views']));
    const frozen = Object.freeze({ ...fresh({ views: 3 }) });
    await calls.set('frozen', frozen);
    await calls.set('frozen', frozen);
    expect((await calls.get('frozen'))?.views).toBe(3);
    expect(await calls.length()).toBe(2);
    expect(await calls.ids()).toContain(store.idOf('frozen'));
  });
});

describe('the life of a session', () => {
  it('ends at its absolute age, however busy it is', async () => {
    const { calls, clock } = setUp({ ttl: 1000, absoluteTtl: 3000 });
    await calls.set(sid, fresh({ views: 0 }));
    for (let passed = 0; passed < 2500; passed += 500) {
      await clock.advance(500);
      const data = (await calls.get(sid)) ?? {};
      expect(data.views).toBe(passed / 500);
      data.views = passed / 500 + 1;
      await calls.set(sid, data);
    }
    await clock.advance(499);
    const last = await calls.get(sid);
    expect(last?.views).toBe(5);
    await calls.touch(sid, last ?? {});
    await clock.advance(1);
    expect(await calls.get(sid)).toBeUndefined();
  });

  it('gives the cookie the end that the store gave the session', async () => {
    const { calls, clock } = setUp();
    const data = fresh({ views: 1 }, 10_000);
    (data.cookie as { expires: Date }).expires = new Date(clock.now() + 10_000);
    await calls.set(sid, data);
    await clock.advance(400);
    const found = await calls.get(sid);
    expect(found?.cookie).toMatchObject({ originalMaxAge: 10_000, path: '/', httpOnly: true });
    expect(Number(found?.cookie?.expires)).toBe(clock.now() + 9600);
    await clock.advance(9600);
    expect(await calls.get(sid)).toBeUndefined();
  });
});

describe('what is no session of ours', () => {
  it('is an absent session and an event', async () => {
    const { calls, backend, trips, events, store } = setUp();
    await calls.set(sid, fresh({ views: 1 }));
    const key = trips.keys.find((one) => one.includes(store.idOf(sid))) ?? '';
    await backend.values.set(key, Buffer.from('{"cookie":{}}'), 60_000);
    expect(await calls.get(sid)).toBeUndefined();
    expect(events).toEqual([{ type: 'unusable', id: store.idOf(sid), reason: 'foreign' }]);
    await calls.set(sid, fresh({ views: 2 }));
    expect((await calls.get(sid))?.views).toBe(2);
  });

  it("moved to the key of another session is nobody's", async () => {
    const { calls, backend, trips, store } = setUp();
    await calls.set(sid, fresh({ userId: 'admin' }));
    await calls.set('victim', fresh({ userId: 'me' }));
    const keyOf = (of: string) => trips.keys.find((one) => one.includes(store.idOf(of))) ?? '';
    const stolen = await backend.values.get(keyOf(sid));
    await backend.values.set(keyOf('victim'), stolen?.bytes ?? new Uint8Array(), 60_000);
    expect(await calls.get('victim')).toBeUndefined();
  });
});
