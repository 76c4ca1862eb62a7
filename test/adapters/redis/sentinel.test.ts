/** Shows that a backend behind Sentinels follows the master, planned or not. */

import { afterEach, expect, it } from 'vitest';
import { startSentinel, type SentinelGroup } from '../../kit/sentinel.ts';
import { until } from '../../kit/wait.ts';
import { backendOn, bytes, cleanUp, errorOf, eventsOf, later, outcomeOf, replicated, text, up } from './support.ts';

afterEach(cleanUp);

async function group(password?: string): Promise<{ group: SentinelGroup; url: string }> {
  const started = await startSentinel(password === undefined ? {} : { password });
  later((one) => one.stop(), started);
  const credentials = password === undefined ? '' : `:${password}@`;
  const addresses = started.sentinels.map(({ host, port }) => `${host}:${port}`).join(',');
  return { group: started, url: `redis+sentinel://${credentials}${addresses}/${started.name}` };
}

it('follows a planned failover', async () => {
  const { group: sentinels, url } = await group('secret');
  const backend = await backendOn(url);
  await backend.values.set('k', bytes('value'), Infinity);
  await replicated(sentinels.primary);
  await sentinels.failover();
  await until(async () => (await outcomeOf(backend.values.set('w', bytes('x'), Infinity))) === 'ok', {
    what: 'writes to work',
  });
  expect(text(await backend.values.get('k'))).toBe('value');
  expect(await sentinels.replica.cli('EXISTS', 'w')).toBe(1);
}, 180_000);

it('leaves a master that hangs for the one that the Sentinels elect', async () => {
  const { group: sentinels, url } = await group();
  const backend = await backendOn(url, {});
  const events = eventsOf(backend);
  await backend.values.set('k', bytes('value'), Infinity);
  await replicated(sentinels.primary);
  await sentinels.primary.pause();
  await until(async () => (await outcomeOf(backend.values.get('k'))) === 'BACKEND_DOWN', { what: 'the breaker' });
  const error = await errorOf(backend.values.get('k'));
  expect(error.message).toContain('the Sentinel group "hotshelf"');
  await until(up(backend), { what: 'the new master', within: 60_000 });
  expect(text(await backend.values.get('k'))).toBe('value');
  expect(await outcomeOf(backend.values.set('w', bytes('x'), Infinity))).toBe('ok');
  expect(events.map(({ type }) => type)).toEqual(['down', 'up']);
  sentinels.primary.resume();
}, 180_000);
