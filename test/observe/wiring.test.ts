/** Shows that a real cache tells the channels, the spans and the meters what it does. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type CacheEvent, createCache } from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { observeWithOpenTelemetry } from 'hotshelf/observe';
import { expect, it, onTestFinished, vi } from 'vitest';
import { meters } from './meters.ts';
import { tracing } from './tracer.ts';

it('a load is a span around what the loader does, an event on the channel, and a duration of the histogram', async () => {
  const heard: string[] = [];
  const listener = (message: unknown) => void heard.push((message as CacheEvent).type);
  subscribe('hotshelf:event', listener);
  onTestFinished(() => void unsubscribe('hotshelf:event', listener));
  const traces = tracing();
  const metrics = meters();
  const cache = createCache({ backend: memory(), ttl: '5m' });
  onTestFinished(observeWithOpenTelemetry({ tracer: traces.tracer, meter: metrics.meter }, { main: cache }));

  await traces.tracer.startActiveSpan('request', async (span) => {
    await cache.get('secretkey', () => {
      traces.tracer.startSpan('query').end();
      return 1;
    });
    await cache.get('secretkey', () => 2);
    span.end();
  });

  await vi.waitFor(() => expect(traces.spans()).toHaveLength(3));
  const spans = new Map(traces.spans().map((span) => [span.name, span]));
  expect(spans.get('query')?.parentSpanContext?.spanId).toBe(spans.get('hotshelf.load')?.spanContext().spanId);
  expect(heard).toEqual(['miss', 'load', 'hit']);
  const collected = await metrics.collect();
  expect(collected.get('hotshelf.load.duration')?.points).toHaveLength(1);
  expect(JSON.stringify([...collected])).not.toContain('secretkey');
});
