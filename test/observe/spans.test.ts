/** Shows the spans that the real OpenTelemetry gets of loads. */

import { SpanStatusCode } from '@opentelemetry/api';
import { HotshelfError } from 'hotshelf';
import { observeWithOpenTelemetry } from 'hotshelf/observe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { traceLoad } from '../../src/observe/channels.ts';
import { fakeCache } from './fake-cache.ts';
import { type Tracing, tracing } from './tracer.ts';

const about = { cache: 'city', key: 'hs/city:secret', behind: false };
let on: Tracing;
let end: () => void;

beforeEach(() => {
  on = tracing();
  end = observeWithOpenTelemetry({ tracer: on.tracer }, { main: fakeCache() });
});

afterEach(() => {
  end();
  on[Symbol.dispose]();
});

/** The spans made, once there are so many. */
async function spans(count: number) {
  await vi.waitFor(() => expect(on.spans()).toHaveLength(count));
  return on.spans();
}

describe('a tracer', () => {
  it('gets a span for each load, with the namespace and no key', async () => {
    expect(await traceLoad(about, async () => 7)).toBe(7);
    await traceLoad({ ...about, behind: true }, async () => 7);
    expect((await spans(2)).map(({ name, attributes, status }) => ({ name, attributes, status }))).toEqual([
      {
        name: 'hotshelf.load',
        attributes: { 'hotshelf.namespace': 'city', 'hotshelf.behind': false },
        status: { code: SpanStatusCode.UNSET },
      },
      {
        name: 'hotshelf.load',
        attributes: { 'hotshelf.namespace': 'city', 'hotshelf.behind': true },
        status: { code: SpanStatusCode.UNSET },
      },
    ]);
  });

  it('has the key on its spans where it is asked for', async () => {
    end();
    end = observeWithOpenTelemetry({ tracer: on.tracer, keys: true }, {});
    await traceLoad(about, async () => 7);
    expect((await spans(1))[0]?.attributes).toHaveProperty(['hotshelf.key'], 'hs/city:secret');
  });

  it('has the load inside the request, and what the loader asks for inside the load', async () => {
    await on.tracer.startActiveSpan('request', async (request) => {
      await traceLoad(about, async () => {
        await Promise.resolve();
        on.tracer.startSpan('query').end();
      });
      on.tracer.startSpan('after').end();
      request.end();
    });
    const made = new Map((await spans(4)).map((span) => [span.name, span]));
    const parent = (name: string) => made.get(name)?.parentSpanContext?.spanId;
    const id = (name: string) => made.get(name)?.spanContext().spanId;
    expect(parent('query')).toBe(id('hotshelf.load'));
    expect(parent('hotshelf.load')).toBe(id('request'));
    expect(parent('after')).toBe(id('request'));
    expect(parent('request')).toBeUndefined();
  });

  it.each([
    ['the name of an error', new TypeError('secret'), 'TypeError'],
    ['the code of one of ours', new HotshelfError('BACKEND_DOWN', 'secret'), 'BACKEND_DOWN'],
    ['nothing of what is no error', 'secret', '_OTHER'],
    ['nothing of a name that is none', Object.assign(new Error('secret'), { name: 'user:secret' }), '_OTHER'],
  ])('tells of a load that failed by %s', async (_, error, type) => {
    await expect(traceLoad(about, () => Promise.reject(error))).rejects.toBe(error);
    const [span] = await spans(1);
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span?.attributes['error.type']).toBe(type);
    expect(span?.events).toEqual([]);
  });

  it('gets no more spans once it is ended, but for loads that had begun', async () => {
    let answer: (value: number) => void = () => undefined;
    const loading = traceLoad(about, () => new Promise<number>((resolve) => (answer = resolve)));
    end();
    await traceLoad(about, async () => 8);
    expect(on.spans()).toEqual([]);
    answer(7);
    expect(await loading).toBe(7);
    await spans(1);
  });

  it('that throws stops no load', async () => {
    end();
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const startActiveSpan = () => {
      throw new Error('mine');
    };
    end = observeWithOpenTelemetry({ tracer: { startActiveSpan } }, {});
    expect(await traceLoad(about, async () => 7)).toBe(7);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});
