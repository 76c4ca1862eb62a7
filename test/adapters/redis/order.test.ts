/** Shows that a message overtakes no write that the same backend was asked for earlier. */

import { redis } from 'hotshelf/redis';
import { afterEach, expect, it } from 'vitest';
import type { Stored, Version } from '../../../src/backend/values.ts';
import { sleep, until } from '../../kit/wait.ts';
import { backendOn, bytes, cleanUp, later, outcomeOf, patient, proxyOf, server, text } from './support.ts';
import type { RedisBackend } from './support.ts';

afterEach(cleanUp);

/** What another process finds under `key:<message>` when it hears of it. */
async function looksOn(backend: RedisBackend): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  await backend.bus.subscribe('topic', (message) => {
    const looked = (stored: Stored | undefined) => found.push(text(stored));
    void backend.values.get(`key:${message}`).then(looked);
  });
  return found;
}

it('holds for every verb, also when the server forgot its scripts', async () => {
  const real = await server();
  const [writer, reader] = [await backendOn(real.url), await backendOn(real.url)];
  expect(writer.bus.ordered).toBe(true);
  const found = await looksOn(reader);
  const { values, bus } = writer;
  const verbs: Record<string, (key: string, version: Version) => Promise<unknown>> = {
    set: (key) => values.set(key, bytes('new'), Infinity),
    cas: (key, version) => values.cas(key, version, bytes('new'), Infinity),
    delete: (key) => values.delete([key]),
    deleteIf: (key, version) => values.deleteIf(key, version),
    take: (key) => values.take(key),
  };
  for (const [verb, write] of Object.entries(verbs)) {
    for (let round = 0; round < 20; round += 1) {
      const key = `key:${verb}:${round}`;
      const version = await values.set(key, bytes('old'), Infinity);
      await real.cli('SCRIPT', 'FLUSH');
      await Promise.all([write(key, version), bus.publish('topic', `${verb}:${round}`)]);
    }
  }
  await until(() => found.length === 100, { what: 'all messages' });
  expect(found.filter((value) => value === 'old')).toEqual([]);
  expect(found.filter((value) => value === 'new')).toHaveLength(40);
});

it('holds while the first connection is being made, and through a slow line', async () => {
  const real = await server();
  const proxy = await proxyOf(real);
  proxy.delay = () => 5;
  const reader = await backendOn(real.url);
  const found = await looksOn(reader);
  const writer = later((one) => one.close(), redis(proxy.url('redis'), patient));
  const sent: Promise<string>[] = [];
  const rounds = 200;
  for (let round = 0; round < rounds; round += 1) {
    sent.push(outcomeOf(writer.values.set(`key:${round}`, bytes('new'), Infinity)));
    // Called in turns and in microtasks of their own: some of them fall between waiting and not waiting.
    await (round % 2 === 0 ? sleep(0) : Promise.resolve());
    sent.push(outcomeOf(writer.bus.publish('topic', `${round}`)));
  }
  const outcomes = await Promise.all(sent);
  expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual([]);
  await until(() => found.length === rounds, { what: 'all messages' });
  expect(found.filter((value) => value !== 'new')).toEqual([]);
});

it('does not hold between two backends: the looks can see it', async () => {
  const real = await server();
  const proxy = await proxyOf(real);
  const reader = await backendOn(real.url);
  const found = await looksOn(reader);
  const [slow, quick] = [await backendOn(proxy.url('redis')), await backendOn(real.url)];
  proxy.delay = () => 20;
  await Promise.all([slow.values.set('key:x', bytes('new'), Infinity), quick.bus.publish('topic', 'x')]);
  await until(() => found.length === 1, { what: 'the message' });
  expect(found).toEqual([undefined]);
});
