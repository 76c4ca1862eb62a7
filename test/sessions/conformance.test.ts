/** Runs the suite of session stores: on each backend, and on stores that it must find wanting. */

import { type Clock, systemClock } from 'hotshelf';
import session from 'express-session';
import { RedisStore } from 'connect-redis';
import { memory } from 'hotshelf/memory';
import { SessionStore } from 'hotshelf/sessions';
import { fakeClock, sessionStoreSuite, type ConformanceCase } from 'hotshelf/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type RedisServer } from '../kit/servers.ts';
import { connected, type Place, places } from './servers.ts';

function check(cases: readonly ConformanceCase[]): void {
  it.concurrent.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
}

async function failuresOf(cases: readonly ConformanceCase[]): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of cases) await run().catch(() => failed.push(name));
  return failed;
}

describe('sessions in memory, in fake time', () => {
  const clock = fakeClock({ now: Date.now() });
  // Pauses between two attempts are not what these cases are about.
  const options = {
    touchEvery: 0,
    clock: { ...clock, after: (...timer: Parameters<Clock['after']>) => systemClock.after(...timer) },
  };
  const create = async () => {
    const backend = memory({ clock });
    const [store, peer] = [new SessionStore({ backend, ...options }), new SessionStore({ backend, ...options })];
    return { store, peer, close: () => backend.close() };
  };
  const suite = sessionStoreSuite({ create, advance: (ms) => clock.advance(ms), now: () => clock.now() });
  it.each(suite)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

for (const [name, start] of Object.entries(places)) {
  describe(`sessions on ${name}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await start();
    }, 360_000);
    afterAll(() => place.stop());

    const create = async () => {
      const prefix = `s${Math.random().toString(36).slice(2)}`;
      const [one, other] = await Promise.all([connected(place.url), connected(place.url)]);
      return {
        store: new SessionStore({ backend: one, touchEvery: 0, prefix }),
        peer: new SessionStore({ backend: other, touchEvery: 0, prefix }),
        close: async () => {
          await Promise.all([one.close(), other.close()]);
        },
      };
    };
    check(sessionStoreSuite({ create, ttlGranularityMs: name === 'Memcached' ? 1000 : 1 }));
  });
}

/** What every store loses that writes whole sessions. */
const losses = [
  'keeps the fields of 20 requests that change the session at once',
  'does not write back what a request only read',
  'does not write back at a second save what others changed after the first',
  'keeps a deletion apart from a change of another field',
  'never brings a session back that a slow request changes after its end',
  'never brings a session back that a slow request only read',
  'never brings a session back that was new to the request that saved it',
  'never brings a session back whose time is over',
];

describe('the suite finds wanting', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('connect-redis (control)', async () => {
    const create = async () => {
      const client = new Redis(server.port);
      const [store, peer] = [new RedisStore({ client }), new RedisStore({ client })];
      return { store, peer, close: async () => client.disconnect() };
    };
    const failed = await failuresOf(sessionStoreSuite({ create, ttlGranularityMs: 1000 }));
    expect(failed).toEqual(expect.arrayContaining(losses));
    expect(failed).toContain('says after a touch when the session ends now');
    expect(failed).not.toContain('stores changes and forgets what was deleted');
  });

  it("express-session's own store (control)", async () => {
    const create = async () => ({ store: new session.MemoryStore(), close: async () => {} });
    const failed = await failuresOf(sessionStoreSuite({ create }));
    expect(failed).toEqual(expect.arrayContaining(losses));
    expect(failed).not.toContain('lets a touched session live on');
  });
});
