/** Two instances of a site, and sessions that both use at once: nothing is lost and nothing comes back, on every server. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProxy } from '../kit/proxy.ts';
import { startInstance } from './fleet.ts';
import { type Fleet, lostFields, lostIncrements, revived, staleAfterRedirect } from './plays.ts';
import { type Place, places } from './servers.ts';
import type { Opening } from './site.worker.ts';

const trials = 100;
const patience = 720_000;

async function startFleet(opening: Opening, others: Opening = opening): Promise<Fleet> {
  const [one, other] = await Promise.all([startInstance(opening), startInstance(others)]);
  return [one, other];
}

interface Afar {
  readonly kind: Opening['kind'];
  readonly trials: number;
  /** What the second instance sends and hears takes so long, each way. */
  readonly wayMs: number;
}

/** Plays `staleAfterRedirect` where the second instance is far from the server. */
async function staleFromAfar(name: 'Redis' | 'Memcached', { kind, trials, wayMs }: Afar): Promise<number> {
  const place = await places[name]();
  onTestFinished(() => place.stop());
  const { hostname, port } = new URL(place.url);
  const proxy = await startProxy({ target: { host: hostname, port: Number(port) }, delay: () => wayMs });
  onTestFinished(() => proxy.stop());
  const asked = (url: string) => ({ url: kind === 'hotshelf' ? patient(url) : url, kind });
  const fleet = await startFleet(asked(place.url), asked(proxy.url(name.toLowerCase())));
  onTestFinished(() => stopFleet(fleet));
  return staleAfterRedirect(fleet, trials);
}

async function stopFleet(fleet: Fleet | undefined): Promise<void> {
  await Promise.all((fleet ?? []).map(({ worker }) => worker.stop()));
}

/** Long enough for a machine that runs everything at once: these tests are not about deadlines. */
const patient = (url: string) => `${url}?deadline=2s`;

for (const [name, start] of Object.entries(places)) {
  describe(`two instances over ${name}`, () => {
    let place: Place;
    let fleet: Fleet;
    beforeAll(async () => {
      place = await start();
      fleet = await startFleet({ url: patient(place.url), kind: 'hotshelf' });
    }, 360_000);
    afterAll(async () => {
      await stopFleet(fleet);
      await place.stop();
    });

    it('lose none of 1,000 fields', { timeout: patience }, async () => {
      expect(await lostFields(fleet, trials)).toBe(0);
    });

    it('lose none of 1,000 increments', { timeout: patience }, async () => {
      expect(await lostIncrements(fleet, trials)).toBe(0);
    });

    it.each([
      ['writes', '/set?field=1', 'logout'],
      ['reads', '/read', 'logout'],
      ['writes', '/set?field=1', 'login'],
      ['reads', '/read', 'login'],
    ] as const)(
      'a slow request that %s (%s) brings no session back after a %s',
      { timeout: patience },
      async (...play) => {
        const [, slowly, end] = play;
        expect(await revived(fleet, trials, slowly, end)).toBe(0);
      },
    );
  });
}

describe('after a redirect', () => {
  it.each(['Redis', 'Memcached'] as const)(
    'no read is stale, with %s 30 ms away',
    { timeout: patience },
    async (name) => {
      expect(await staleFromAfar(name, { kind: 'hotshelf', trials: 50, wayMs: 15 })).toBe(0);
    },
  );
});

describe('the same plays find what express-session with connect-redis loses (control)', () => {
  let place: Place;
  let fleet: Fleet;
  beforeAll(async () => {
    place = await places.Redis();
    fleet = await startFleet({ url: place.url, kind: 'connect-redis' });
  }, 360_000);
  afterAll(async () => {
    await stopFleet(fleet);
    await place.stop();
  });

  it('fields and increments', { timeout: patience }, async () => {
    expect(await lostFields(fleet, 20)).toBeGreaterThan(40);
    expect(await lostIncrements(fleet, 20)).toBeGreaterThan(40);
  });

  it('logouts and new ids', { timeout: patience }, async () => {
    expect(await revived(fleet, 20, '/set?field=1', 'logout')).toBeGreaterThan(15);
    expect(await revived(fleet, 20, '/set?field=1', 'login')).toBeGreaterThan(15);
  });

  it('reads after a redirect', { timeout: patience }, async () => {
    // Farther, for a machine on which the next request may be late.
    expect(await staleFromAfar('Redis', { kind: 'connect-redis', trials: 20, wayMs: 150 })).toBeGreaterThan(10);
  });
});
