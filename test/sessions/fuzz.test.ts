/** Whatever is in a session survives, and whatever stands under its key is a session or nothing. */

import * as fc from 'fast-check';
import { encrypted, jsonCodec } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { SessionStore, type SessionEvent } from 'hotshelf/sessions';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../kit/random.ts';
import { fresh, promised } from './calls.ts';
import { counted } from './counted.ts';

const codecs = { plain: jsonCodec, encrypted: encrypted(jsonCodec, { keys: ['ab'.repeat(32)] }) };

describe.each(Object.entries(codecs))('sessions, %s', (_name, codec) => {
  it('survive with any content', async () => {
    const calls = promised(new SessionStore({ backend: memory(), codec }));
    const names = fc
      .oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '$date', 'f'))
      .filter((name) => name !== 'cookie');
    const fields = fc.dictionary(names, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 8 });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fields, fields, async (sid, first, second) => {
        await calls.destroy(sid);
        await calls.set(sid, { ...first, cookie: fresh().cookie });
        const loaded = (await calls.get(sid)) ?? {};
        expect(withoutCookie(loaded)).toEqual(asJson(first));
        for (const name of Object.keys(loaded)) if (name !== 'cookie') delete loaded[name];
        for (const [name, value] of Object.entries(second)) define(loaded, name, value);
        await calls.set(sid, loaded);
        expect(withoutCookie((await calls.get(sid)) ?? {})).toEqual(asJson(second));
      }),
      { numRuns: 200 },
    );
  });

  it('are absent where 1,000 corrupt payloads stand, with an event and without an exception', async () => {
    const { backend, trips } = counted(memory());
    const store = new SessionStore({ backend, codec });
    const calls = promised(store);
    const events: SessionEvent[] = [];
    store.watch((event) => events.push(event));
    await calls.set('victim', fresh({ text: 'what was there', views: 7, tags: ['a', 'b'] }));
    const key = trips.keys.find((name) => name.includes(store.idOf('victim'))) ?? '';
    const good = (await backend.values.get(key))?.bytes ?? new Uint8Array();
    const random = seededRandom(7);
    for (let round = 0; round < 1000; round += 1) {
      await backend.values.set(key, mutated(good, random, round), 60_000);
      expect(await calls.get('victim')).toBeUndefined();
      const owned = fresh({ userId: 'ada' });
      if (round % 100 === 0) await calls.touch('victim', owned);
    }
    expect(events.filter(({ type }) => type === 'unusable').length).toBeGreaterThanOrEqual(1000);
    expect(events.filter(({ type }) => type === 'failed')).toEqual([]);
    await calls.set('victim', fresh({ views: 8 }));
    expect((await calls.get('victim'))?.views).toBe(8);
  });
});

/** One bit flipped, a part cut off, a part too many, random bytes, or JSON as another store would write it. */
function mutated(good: Uint8Array, random: () => number, round: number): Uint8Array {
  const at = Math.floor(random() * good.length);
  const bytes = Uint8Array.from(good);
  switch (round % 5) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return bytes;
    case 1:
      return bytes.slice(0, at);
    case 2:
      return Buffer.concat([bytes, bytes.slice(at)]);
    case 3:
      return Uint8Array.from({ length: at }, () => random() * 256);
    default:
      return Buffer.from(JSON.stringify({ cookie: { originalMaxAge: null }, userId: `mallory${at}` }));
  }
}

function withoutCookie(session: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).filter(([name]) => name !== 'cookie'));
}

/** What JSON makes of it: -0 is 0 there. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function define(session: object, name: string, value: unknown): void {
  Object.defineProperty(session, name, { value, enumerable: true, configurable: true, writable: true });
}
