/** Shows that what leaves the process has neither keys nor values in it. */

import * as fc from 'fast-check';
import { HotshelfError } from 'hotshelf';
import { observeWithOpenTelemetry, observeWithPromClient, prometheusText } from 'hotshelf/observe';
import * as client from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { traceLoad } from '../../src/observe/channels.ts';
import type { CacheEvent } from '../../src/observe/events.ts';
import { busyCache } from './fake-cache.ts';
import { meters } from './meters.ts';
import { tracing } from './tracer.ts';

/** Every kind of event, with the secret in it wherever there is text that is not ours. */
function eventsAbout(secret: string): CacheEvent[] {
  const about = { cache: 'default', key: `hs:user:${secret}` };
  const error = new HotshelfError('BACKEND_REFUSED', secret, { cause: new Error(secret) });
  return [
    { ...about, type: 'hit', tier: 'local' },
    { ...about, type: 'miss' },
    { ...about, type: 'refused' },
    { ...about, type: 'stale', reason: 'load failed', ageMs: 5 },
    { ...about, type: 'refresh', reason: 'early' },
    { ...about, type: 'load', ms: 5, failed: false, behind: false },
    { ...about, type: 'load', ms: 5, failed: true, behind: true, error: new Error(secret) },
    { ...about, type: 'bypass', reason: 'backend' },
    { ...about, type: 'unusable', reason: secret },
    { ...about, type: 'uncacheable', error },
    { ...about, type: 'failed', error },
    { ...about, type: 'inconsistent', ageMs: 5 },
    { type: 'invalidate', cache: 'default', keys: 1, tags: 0, cleared: false },
    { type: 'unconfirmed', cache: 'default', keys: 1, error },
    { type: 'confirmed', cache: 'default' },
    { type: 'gap', cache: 'default', state: 'lost' },
  ];
}

/** All that leaves the process while a key, a value and an error have `secret` in them. */
async function told(secret: string, keys: boolean): Promise<string> {
  const cache = busyCache();
  const { meter, collect } = meters();
  using on = tracing();
  const registry = new client.Registry();
  const caches = { main: cache };
  observeWithPromClient(client, caches, registry);
  const end = observeWithOpenTelemetry({ meter, tracer: on.tracer, keys }, caches);
  try {
    for (const event of eventsAbout(secret)) cache.events.emit(event);
    const about = { cache: 'default', key: `hs:user:${secret}`, behind: false };
    await traceLoad(about, async () => ({ token: secret }));
    const named = Object.assign(new Error(secret), { name: `of ${secret}` });
    for (const error of [named, new TypeError(secret), secret]) {
      await expect(traceLoad(about, () => Promise.reject(error))).rejects.toBe(error);
    }
    await vi.waitFor(() => expect(on.spans()).toHaveLength(4));
    const spans = on.spans().map(({ name, attributes, events, status, links }) => ({
      name,
      attributes,
      events,
      status,
      links,
    }));
    return [prometheusText(caches), await registry.metrics(), JSON.stringify([...(await collect()), spans])].join('\n');
  } finally {
    end();
  }
}

/** Long enough to stand nowhere by chance, and without what JSON or Prometheus would escape. */
const secret = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/),
  fc.stringMatching(/^[a-z]{5,12}[.][a-z]{5,12}@[a-z]{5,12}[.]com$/),
  fc.stringMatching(/^eyJ[A-Za-z0-9]{20}[.][A-Za-z0-9]{20}$/),
  fc.uuid(),
);

describe('keys and values', () => {
  it('are in no text, metric or span', async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (hidden) => {
        const text = await told(hidden, false);
        expect(text).toContain('hotshelf.load');
        expect(text).not.toContain(hidden);
      }),
      { numRuns: 40 },
    );
  });

  it('would be found: spans have keys where somebody asked for them (control)', async () => {
    expect(await told('a-key-to-be-seen', true)).toContain('hs:user:a-key-to-be-seen');
  });
});
