/** The conformance suite of the bus facet. */

import assert from 'node:assert/strict';
import type { Stored } from '../backend/values.ts';
import { bytesOf, expectBytes } from './bytes.ts';
import {
  expectError,
  expectSoon,
  suite,
  type ConformanceCase,
  type Define,
  type SuiteOptions,
  type Trial,
} from './suite.ts';

/**
 * Returns the cases that the bus of every adapter must pass, for whatever runs tests.
 *
 * @example
 * for (const { name, run } of busSuite({ create })) it(name, run);
 */
export function busSuite(options: SuiteOptions<'bus'>): readonly ConformanceCase[] {
  return suite(options, (it) => {
    defineDeliveryCases(it);
    defineCountCases(it);
    defineProbeCases(it);
    defineEndCases(it);
  });
}

function defineDeliveryCases(it: Define<'bus'>): void {
  it('delivers to every subscriber, also to two of one topic', async (trial) => {
    const { backend, peer, key } = trial;
    const topic = key();
    const heard: string[][] = [[], [], []];
    await backend.bus.subscribe(topic, (message) => heard[0]?.push(message));
    await backend.bus.subscribe(topic, (message) => heard[1]?.push(message));
    await peer.bus.subscribe(topic, (message) => heard[2]?.push(message));
    await peer.bus.publish(topic, 'one');
    await backend.bus.publish(topic, 'two');
    await expectSoon(trial, 'both messages at all three', () => heard.every((messages) => messages.length >= 2));
    for (const messages of heard) assert.deepEqual(messages.sort(), ['one', 'two']);
  });

  it('hears what is published once subscribe has resolved', async (trial) => {
    const heard = new Set<string>();
    const topics = Array.from({ length: 20 }, trial.key);
    await Promise.all(
      topics.map(async (topic) => {
        await trial.backend.bus.subscribe(topic, (message) => heard.add(message));
        await trial.peer.bus.publish(topic, topic);
      }),
    );
    await expectSoon(trial, 'a message of each topic', () => heard.size === topics.length);
  });

  it('keeps the order of one publisher', async (trial) => {
    const topic = trial.key();
    const heard: string[] = [];
    await trial.backend.bus.subscribe(topic, (message) => heard.push(message));
    const messages = Array.from({ length: 300 }, (_, index) => `${index}`);
    await Promise.all(messages.map((message) => trial.peer.bus.publish(topic, message)));
    await expectSoon(trial, 'all 300 messages', () => heard.length >= messages.length);
    assert.deepEqual(heard, messages);
  });

  it('keeps topics apart', async (trial) => {
    const topic = trial.key();
    const heard: string[] = [];
    await trial.backend.bus.subscribe(topic, (message) => heard.push(message));
    for (const other of [`${topic}x`, topic.slice(0, -1), topic.toUpperCase(), `${topic}*`, '*'])
      await trial.peer.bus.publish(other, 'not for you');
    await trial.peer.bus.publish(topic, 'for you');
    await expectSoon(trial, 'the message', () => heard.length > 0);
    await trial.wait(20);
    assert.deepEqual(heard, ['for you']);
  });

  it('carries empty, Unicode and large messages unchanged', async (trial) => {
    const topic = trial.key();
    const heard: string[] = [];
    await trial.backend.bus.subscribe(topic, (message) => heard.push(message));
    const messages = ['', 'caf\u00e9 \u{1f375} \u4e16\u754c \u0000 \r\n "quoted"', 'x\u00e9'.repeat(200_000)];
    for (const message of messages) await trial.peer.bus.publish(topic, message);
    await expectSoon(trial, 'all messages', () => heard.length >= messages.length);
    // Compared by identity, not by deepEqual: a difference in 400,000 characters takes minutes to print.
    assert.ok(heard.length === messages.length && heard.every((message, index) => message === messages[index]));
  });

  it('never calls a listener within publish', async (trial) => {
    const topic = trial.key();
    let publishing = false;
    const heard: boolean[] = [];
    await trial.backend.bus.subscribe(topic, () => heard.push(publishing));
    publishing = true;
    const published = trial.backend.bus.publish(topic, 'x');
    publishing = false;
    await published;
    await expectSoon(trial, 'the message', () => heard.length > 0);
    assert.deepEqual(heard, [false]);
  });

  it('resolves publish where nobody listens, and reports no gap while nothing is lost', async (trial) => {
    const [topic, silent] = [trial.key(), trial.key()];
    const heard: string[] = [];
    const gaps: string[] = [];
    const onGap = (state: string) => gaps.push(state);
    await trial.backend.bus.subscribe(topic, (message) => heard.push(message), { onGap });
    await trial.peer.bus.publish(silent, 'into the void');
    await trial.peer.bus.publish(topic, 'x');
    await expectSoon(trial, 'the message', () => heard.length === 1);
    assert.deepEqual(gaps, []);
  });
}

function defineCountCases(it: Define<'bus'>): void {
  it('resolves publish with the number of subscriptions that the message was given to', async (trial) => {
    const { backend, peer } = trial;
    const [topic, silent] = [trial.key(), trial.key()];
    const ignore = () => {};
    assert.equal(await backend.bus.publish(topic, 'x'), 0);
    const first = await backend.bus.subscribe(topic, ignore);
    assert.equal(await backend.bus.publish(topic, 'x'), 1);
    const second = await peer.bus.subscribe(topic, ignore);
    const third = await backend.bus.subscribe(topic, ignore);
    assert.equal(await backend.bus.publish(topic, 'x'), 3);
    assert.equal(await peer.bus.publish(topic, 'x'), 3);
    assert.equal(await backend.bus.publish(silent, 'x'), 0);
    await Promise.all([first.close(), third.close()]);
    // The server may hear of an end a little later.
    await expectCount(trial, topic, 1);
    await second.close();
    await expectCount(trial, topic, 0);
  });

  it('reaches nobody before earlier writes were applied, where it says so', async (trial) => {
    const { backend, peer } = trial;
    const { values } = backend;
    const { values: seen } = peer;
    if (!backend.bus.ordered || values === undefined || seen === undefined) return;
    const [topic, replaced, created] = [trial.key(), trial.key(), trial.key()];
    const looks: Promise<readonly (Stored | undefined)[]>[] = [];
    await peer.bus.subscribe(topic, () => looks.push(seen.getMany([replaced, created])));
    for (let round = 0; round < 50; round += 1) {
      const version = await values.set(replaced, bytesOf('old'), Infinity);
      await values.delete([created]);
      const sent = [
        values.cas(replaced, version, bytesOf('new'), Infinity),
        values.set(created, bytesOf('new'), 60_000),
      ];
      await Promise.all([...sent, backend.bus.publish(topic, 'look')]);
      await expectSoon(trial, 'the message', () => looks.length > round);
      for (const stored of (await looks.at(-1)) ?? []) expectBytes(stored, 'new');
    }
  });
}

async function expectCount(trial: Trial<'bus'>, topic: string, count: number): Promise<void> {
  for (const end = trial.elapsed() + 2000; ; await trial.wait(5)) {
    const reached = await trial.peer.bus.publish(topic, 'x');
    if (reached === count) return;
    assert.ok(trial.elapsed() < end, `published to ${reached} subscriptions instead of ${count}`);
  }
}

function defineProbeCases(it: Define<'bus'>): void {
  it('probes at once, and then as often as it was asked to', async (trial) => {
    const { bus } = trial.backend;
    const ages: Record<'rare' | 'often', number[]> = { rare: [], often: [] };
    const probing = (everyMs: number, into: number[]) => ({
      probeEveryMs: everyMs,
      onProbe: (age: number) => into.push(age),
    });
    await bus.subscribe(trial.key(), () => {}, probing(60_000, ages.rare));
    await expectSoon(trial, 'the first probe', () => ages.rare.length > 0);
    const startedAt = trial.elapsed();
    await bus.subscribe(trial.key(), () => {}, probing(20, ages.often));
    await bus.subscribe(trial.key(), () => {});
    await expectSoon(trial, 'ten probes', () => ages.often.length >= 10);
    const tookMs = trial.elapsed() - startedAt;
    for (const age of ages.often) assert.ok(age >= 0 && age <= tookMs, `a probe was sent ${age} ms ago`);
  });

  it('has delivered before a probe is answered what was published before it was sent', async (trial) => {
    const topic = trial.key();
    const heard = new Set<string>();
    const resolvedAt: number[] = [];
    const missing: string[] = [];
    let probes = 0;
    const onProbe = (sentAgoMs: number) => {
      probes += 1;
      const sentAt = trial.elapsed() - sentAgoMs;
      for (const [n, at] of resolvedAt.entries()) {
        if (at < sentAt && !heard.has(`${n}`)) missing.push(`message ${n}, probe ${probes}`);
      }
    };
    await trial.backend.bus.subscribe(topic, (message) => heard.add(message), { probeEveryMs: 5, onProbe });
    for (let n = 0; n < 100; n += 1) {
      await trial.peer.bus.publish(topic, `${n}`);
      resolvedAt.push(trial.elapsed());
      if (n % 3 === 0) await trial.wait(2);
    }
    const before = probes;
    await expectSoon(trial, 'more probes', () => probes > before + 2);
    assert.deepEqual(missing, []);
    assert.equal(heard.size, 100);
  });

  it('probes no more for a subscription that was closed', async (trial) => {
    const { bus } = trial.backend;
    const probes = { closed: 0, open: 0 };
    const subscription = await bus.subscribe(trial.key(), () => {}, {
      probeEveryMs: 10,
      onProbe: () => (probes.closed += 1),
    });
    await bus.subscribe(trial.key(), () => {}, { probeEveryMs: 10, onProbe: () => (probes.open += 1) });
    await expectSoon(trial, 'probes of both', () => probes.closed > 1 && probes.open > 1);
    await subscription.close();
    const { closed, open } = probes;
    await expectSoon(trial, 'more probes', () => probes.open > open + 3);
    assert.equal(probes.closed, closed);
  });
}

function defineEndCases(it: Define<'bus'>): void {
  it('delivers nothing to a subscription that was closed, and goes on for the others', async (trial) => {
    const topic = trial.key();
    const closed: string[] = [];
    const open: string[] = [];
    const subscription = await trial.backend.bus.subscribe(topic, (message) => closed.push(message));
    await trial.backend.bus.subscribe(topic, (message) => open.push(message));
    await trial.peer.bus.publish(topic, 'before');
    await expectSoon(trial, 'the first message', () => closed.length === 1 && open.length === 1);
    await Promise.all([subscription.close(), trial.peer.bus.publish(topic, 'while')]);
    await subscription.close();
    await trial.peer.bus.publish(topic, 'after');
    await expectSoon(trial, 'the last message', () => open.length === 3);
    assert.deepEqual(open, ['before', 'while', 'after']);
    assert.deepEqual(closed, ['before']);
  });

  it('hears a topic again that was closed and subscribed anew', async (trial) => {
    const topic = trial.key();
    const heard: string[] = [];
    const first = await trial.backend.bus.subscribe(topic, () => heard.push('first'));
    const closing = first.close();
    await trial.backend.bus.subscribe(topic, () => heard.push('second'));
    await closing;
    await trial.peer.bus.publish(topic, 'x');
    await expectSoon(trial, 'the message', () => heard.length > 0);
    assert.deepEqual(heard, ['second']);
  });

  it('refuses everything with CLOSED after close, and delivers nothing more', async (trial) => {
    const { bus } = trial.backend;
    const topic = trial.key();
    const heard: string[] = [];
    await bus.subscribe(topic, (message) => heard.push(message));
    await trial.backend.close();
    await expectError(bus.publish(topic, 'x'), 'CLOSED');
    await expectError(
      bus.subscribe(topic, () => {}),
      'CLOSED',
    );
    if (trial.peer !== trial.backend) await trial.peer.bus.publish(topic, 'x');
    await trial.wait(20);
    assert.deepEqual(heard, []);
  });
}
