/** Shows that chaos fails as it was told to, and the same way for the same seed. */

import { describe, expect, it } from 'vitest';
import { memory } from 'hotshelf/memory';
import {
  busSuite,
  chaos,
  countersSuite,
  fakeClock,
  rankingsSuite,
  uniquesSuite,
  valuesSuite,
  type ChaosRates,
} from 'hotshelf/testing';
import { toldMemory } from './told-memory.ts';

const bytes = new TextEncoder().encode('some bytes');

/** What 300 sets and gets come to: the codes of errors, and the values. */
async function story(seed: number, rates: ChaosRates): Promise<string[]> {
  const backend = chaos(memory(), { seed, ...rates });
  const outcomes: string[] = [];
  for (let step = 0; step < 300; step += 1) {
    const key = `k${(step >> 1) % 10}`;
    const outcome = step % 2 ? backend.values.get(key) : backend.values.set(key, bytes, 60_000);
    outcomes.push(
      await outcome.then(
        (answer) => (typeof answer === 'object' ? Buffer.from(answer.bytes).toString('hex') : 'none'),
        (error: unknown) => (error as { code: string }).code,
      ),
    );
  }
  return outcomes;
}

describe('chaos', () => {
  it('does nothing while all rates are 0', async () => {
    const clock = fakeClock();
    const create = async () => {
      const backend = chaos(memory({ clock }));
      return { backend, close: () => backend.close() };
    };
    const time = { create, advance: (ms: number) => clock.advance(ms) };
    const suites = [valuesSuite(time), countersSuite(time), rankingsSuite(time), uniquesSuite(time), busSuite(time)];
    const cases = suites.flat();
    for (const { run } of cases) await expect(run()).resolves.toBeUndefined();
  });

  it('tells the same story for the same seed and another for another', async () => {
    const rates = { throws: 0.1, drops: 0.1, corrupts: 0.2 };
    const first = await story(7, rates);
    expect(await story(7, rates)).toEqual(first);
    expect(await story(8, rates)).not.toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(5);
  });

  it('fails about as often as it was told', async () => {
    const backend = chaos(memory(), { throws: 0.2, drops: 0.1, corrupts: 0.25 });
    await Promise.allSettled(Array.from({ length: 4000 }, (_, index) => backend.values.get(`${index}`)));
    const { throws, drops, corrupts } = backend.chaos.counts;
    expect(throws).toBeGreaterThan(700);
    expect(throws).toBeLessThan(900);
    expect(drops).toBeGreaterThan(320);
    expect(drops).toBeLessThan(480);
    // Only answers can be corrupted.
    expect(corrupts).toBeGreaterThan(600);
    expect(corrupts).toBeLessThan(800);
  });

  it('applies about half of the commands whose answer it drops, and none that it throws', async () => {
    const inner = memory();
    const backend = chaos(inner, { drops: 1 });
    for (let step = 0; step < 400; step += 1)
      await expect(backend.counters.add('dropped', 1, 60_000)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    backend.chaos.calm();
    backend.chaos.set({ throws: 1 });
    for (let step = 0; step < 50; step += 1)
      await expect(backend.counters.add('thrown', 1, 60_000)).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    const [dropped, thrown] = await inner.counters.read(['dropped', 'thrown']);
    expect(dropped).toBeGreaterThan(150);
    expect(dropped).toBeLessThan(250);
    expect(thrown).toBe(0);
  });

  it('corrupts a copy and never what is stored', async () => {
    const inner = memory();
    const backend = chaos(inner, { corrupts: 1 });
    await backend.values.set('k', bytes, Infinity);
    await backend.values.set('empty', new Uint8Array(), Infinity);
    for (let step = 0; step < 200; step += 1) {
      const [one, empty] = [await backend.values.get('k'), await backend.values.get('empty')];
      expect(Buffer.from(bytes).equals(one?.bytes ?? bytes)).toBe(false);
      expect(empty?.bytes.length).toBe(1);
      const many = await backend.values.getMany(['k', 'k', 'k']);
      expect(many.filter((stored) => !Buffer.from(bytes).equals(stored?.bytes ?? bytes))).toHaveLength(1);
    }
    expect((await inner.values.get('k'))?.bytes).toEqual(bytes);
    const taken = await backend.values.take('k');
    expect(taken?.bytes).not.toEqual(bytes);
  });

  it('delays requests and answers within the bounds', async () => {
    const clock = fakeClock();
    const backend = chaos(memory({ clock }), { clock, delayMs: [10, 20] });
    let settled = false;
    const done = backend.values.set('k', bytes, Infinity).then(() => (settled = true));
    await clock.advance(19);
    expect(settled).toBe(false);
    await clock.advance(21);
    expect(settled).toBe(true);
    await done;
  });

  it('keeps the order of messages although each travels its own time', async () => {
    const clock = fakeClock();
    const backend = chaos(memory({ clock }), { clock, delayMs: [0, 20] });
    const heard: number[] = [];
    const subscribed = backend.bus.subscribe('t', (message) => heard.push(Number(message)));
    await clock.advance(40);
    await subscribed;
    const published = Array.from({ length: 20 }, (_, index) => backend.bus.publish('t', `${index}`));
    await clock.advance(20 * 20 + 20);
    await Promise.all(published);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('hangs until it is released', async () => {
    const backend = chaos(memory(), { hangs: 1 });
    let settled = false;
    const hanging = backend.values.get('k').catch((error: unknown) => {
      settled = true;
      return error;
    });
    await fakeClock().advance(1);
    expect(settled).toBe(false);
    backend.chaos.release();
    expect(await hanging).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  it('reports a gap when the bus is cut, and loses what is published meanwhile', async () => {
    const inner = memory();
    const backend = chaos(inner);
    const heard: string[] = [];
    await backend.bus.subscribe('t', (message) => heard.push(message), { onGap: (state) => heard.push(state) });
    backend.chaos.cut();
    await inner.bus.publish('t', 'lost message');
    await expect(backend.bus.subscribe('t', () => {})).rejects.toMatchObject({ code: 'BACKEND_DOWN' });
    await fakeClock().advance(1);
    backend.chaos.mend();
    await inner.bus.publish('t', 'heard message');
    await fakeClock().advance(1);
    expect(heard).toEqual(['lost', 'restored', 'heard message']);
  });

  it('counts and probes like the backend behind it, and answers no probe while the bus is cut', async () => {
    const clock = fakeClock();
    const inner = memory({ clock });
    const backend = chaos(inner, { clock });
    let probes = 0;
    const subscription = await backend.bus.subscribe('t', () => {}, { probeEveryMs: 10, onProbe: () => (probes += 1) });
    await clock.advance(50);
    expect(probes).toBeGreaterThan(4);
    expect(await backend.bus.publish('t', 'x')).toBe(1);
    backend.chaos.cut();
    const before = probes;
    await clock.advance(50);
    expect(probes).toBe(before);
    backend.chaos.mend();
    await clock.advance(50);
    expect(probes).toBeGreaterThan(before + 3);
    await subscription.close();
    expect(await backend.bus.publish('t', 'x')).toBe(0);
    // What travels by itself keeps no order.
    expect([inner.bus.ordered, backend.bus.ordered]).toEqual([true, false]);
  });

  it('tells of changes like the backend behind it, unless it is cut', async () => {
    const clock = fakeClock();
    const { backend: inner } = toldMemory(clock);
    const backend = chaos(inner, { clock });
    const told: unknown[] = [];
    await backend.values.changes?.watch('a:', (keys) => told.push(keys), { onGap: (state) => told.push(state) });
    await backend.values.set('a:1', bytes, Infinity);
    backend.chaos.cut();
    await backend.values.set('a:2', bytes, Infinity);
    backend.chaos.mend();
    await backend.values.set('a:3', bytes, Infinity);
    expect(told).toEqual([['a:1'], 'lost', 'restored', ['a:3']]);
    expect(chaos(memory()).values.changes).toBeUndefined();
  });

  it('keeps resident off', () => {
    expect(memory().values.resident).toBeDefined();
    expect(chaos(memory()).values.resident).toBeUndefined();
  });
});
