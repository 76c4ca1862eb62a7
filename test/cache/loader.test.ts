/** Shows what a loader is told and what it may say: its entry's times, tags and etag, `unchanged()` and `skip()`. */

import { describe, expect, it } from 'vitest';
import { jsonCodec, type Codec, type LoadContext, type StandardSchema } from 'hotshelf';
import { codeOf, forms, gate, inTime, never, record, shelves } from './forms.ts';

const kept = { ttl: '10s', grace: '1h' } as const;
const fail = () => Promise.reject(new Error('the origin is down'));

/** A codec that counts how often it encodes. */
function countingCodec() {
  const codec = {
    ...jsonCodec,
    id: 220,
    encoded: 0,
    encode: (...args: Parameters<Codec['encode']>) => {
      codec.encoded += 1;
      return jsonCodec.encode(...args);
    },
  };
  return codec;
}

describe.each(forms)('a loader, %s', (form) => {
  it('says how long its value is fresh, whatever the options say', async () => {
    const { cache, clock, open } = shelves(form);
    for (const [ttl, ms] of [
      ['2s', 2000],
      ['1h', 3_600_000],
      [0.4, 1],
    ] as const) {
      const found = await cache.lookup('k', (context) => (context.ttl(ttl), 'v'), { ttl: '10s' });
      expect(found.ttlMs).toBe(ms);
      await clock.advance(ms - 1);
      expect(await open().peek('k')).toBe('v');
      await clock.advance(2);
      expect(await open().peek('k')).toBeUndefined();
    }
    expect((await cache.lookup('k', (context) => (context.ttl('5s'), null))).ttlMs).toBe(5000);
  });

  it('says how long its value may help, up to what the reader allows', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', (context) => (context.grace('5s'), 'v'), kept);
    await clock.advance(14_900);
    expect(await cache.get('k', fail, kept)).toBe('v');
    await clock.advance(101);
    expect(await codeOf(cache.get('k', fail, kept))).toMatch(/is down/);
    await cache.get('none', (context) => (context.grace(0), 'v'), kept);
    await clock.advance(10_001);
    expect(await codeOf(cache.get('none', fail, kept))).toMatch(/is down/);
  });

  it('names tags, besides those of the options', async () => {
    const { cache, clock, open } = shelves(form);
    const load = (context: LoadContext<string>) => {
      context.tag('a', ['b', 1]);
      context.tag('a');
      return 'v';
    };
    for (const tag of ['a', ['b', 1], 'c', 'd'] as const) {
      await inTime(clock, cache.get('k', load, { tags: ['c'] }));
      await clock.advance(0);
      // A first load may be refused, because it did not know the tags that it would name.
      await inTime(clock, cache.get('k', load, { tags: ['c'] }));
      await clock.advance(0);
      expect(await cache.get('k', never)).toBe('v');
      await open().invalidateTags([tag]);
      expect(await cache.peek('k')).toBe(tag === 'd' ? 'v' : undefined);
    }
  });

  it('is refused what it names after a tag was invalidated during the load', async () => {
    const { cache, clock, open } = shelves(form);
    for (const soft of [false, true]) {
      const slow = gate<string>();
      const read = cache.get('k', async (context) => {
        const value = await slow.passed;
        context.tag('a');
        return value;
      });
      await clock.advance(0);
      await open().invalidateTags(['a'], { soft });
      slow.open('from before');
      expect(await read).toBe('from before');
      await clock.advance(0);
      expect(await cache.peek('k')).toBeUndefined();
      expect(cache.stats().refusedFills).toBe(soft ? 2 : 1);
    }
  });

  it('is shown the entry that it replaces, with its etag and its age, and nothing where there is none', async () => {
    const { cache, clock } = shelves(form);
    const seen: unknown[] = [];
    const load = ({ stale, etag }: LoadContext<{ n: number }>) => {
      seen.push(stale);
      etag(`"${seen.length}"`);
      return { n: seen.length };
    };
    await cache.get('k', load, kept);
    await clock.advance(15_000);
    await cache.get('k', load, kept);
    await clock.advance(0);
    await clock.advance(15_000);
    await cache.get('k', load, kept);
    await cache.delete('k');
    await cache.get('k', load, kept);
    expect(seen).toEqual([
      undefined,
      { value: { n: 1 }, etag: '"1"', ageMs: 15_000 },
      { value: { n: 2 }, etag: '"2"', ageMs: 15_000 },
      undefined,
    ]);
  });

  it('is not shown what is too old, was invalidated, or does not fit the schema', async () => {
    const { cache, clock } = shelves(form);
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => (typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }] }),
      },
    };
    const ends = [
      () => clock.advance(3_600_000),
      () => cache.invalidate('k'),
      () => cache.invalidateTags(['all']),
      () => inTime(clock, cache.clear()),
      async () => {},
    ];
    for (const [index, end] of ends.entries()) {
      await cache.get('k', ({ etag }) => (etag('1'), 'a text'), { ...kept, tags: ['all'] });
      await clock.advance(index === 4 ? 0 : 15_000);
      await end();
      let seen: unknown = 'not called';
      const load = ({ stale }: LoadContext) => ((seen = stale), 5);
      expect(await cache.get('k', load, { ...kept, schema }), `end ${index}`).toBe(5);
      expect(seen, `end ${index}`).toBeUndefined();
      await clock.advance(0);
      await cache.delete('k');
    }
  });

  it.each([
    ['ttl', (context: LoadContext) => context.ttl(0), 'OPTION_INVALID'],
    ['ttl', (context: LoadContext) => context.ttl(-1), 'OPTION_INVALID'],
    ['grace', (context: LoadContext) => context.grace(-1), 'OPTION_INVALID'],
    ['tag', (context: LoadContext) => context.tag([]), 'KEY_INVALID'],
    ['etag', (context: LoadContext) => context.etag('x'.repeat(1025)), 'OPTION_INVALID'],
    ['etag', (context: LoadContext) => context.etag('\ud800'), 'OPTION_INVALID'],
    // @ts-expect-error: a number in the place of text
    ['etag', (context: LoadContext) => context.etag(5), 'OPTION_INVALID'],
  ] as const)('that says a bad %s fails its load, and frees the key', async (_, say, code) => {
    const { cache, open } = shelves(form);
    expect(await codeOf(cache.get('k', (context: LoadContext) => (say(context), 'v')))).toBe(code);
    expect(await open().get('k', () => 'fine')).toBe('fine');
  });

  it('makes no signal unless it asks for one, and then always the same', async () => {
    const { cache, clock } = shelves(form);
    const { AbortController: Real } = globalThis;
    let made = 0;
    globalThis.AbortController = class extends Real {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      await cache.get('a', () => 1, { timeout: { hard: '1s' } });
      expect(made).toBe(0);
      await cache.get('b', (context) => context.signal === context.signal && 1, { timeout: { hard: '1s' } });
      expect(made).toBe(1);
      await clock.advance(2000);
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = Real;
    }
  });
});

describe.each(forms)('unchanged(), %s', (form) => {
  const load = (context: LoadContext<{ n: number }>) => (context.etag('"1"'), context.tag('all'), { n: 1 });
  const same = ({ unchanged }: Pick<LoadContext, 'unchanged'>) => unchanged();

  it('makes the stale value fresh again, without encoding it', async () => {
    const { open, clock } = shelves(form);
    const codec = countingCodec();
    const cache = open({ codec });
    await cache.get('k', load, kept);
    await clock.advance(15_000);
    expect(await cache.lookup('k', same, kept)).toEqual({
      value: { n: 1 },
      status: 'miss',
      stored: true,
      ageMs: 0,
      ttlMs: 10_000,
    });
    await clock.advance(0);
    expect(codec.encoded).toBe(1);
    expect(await open({ codec }).lookup('k', never)).toMatchObject({ value: { n: 1 }, status: 'hit', ttlMs: 10_000 });
  });

  it('keeps tags and etag, time after time, and takes what else the loader says', async () => {
    const { cache, clock, open } = shelves(form);
    await cache.get('k', load, kept);
    await clock.advance(0);
    const etags: (string | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(15_000);
      await cache.get(
        'k',
        (context: LoadContext<{ n: number }>) => {
          etags.push(context.stale?.etag);
          if (round === 1) context.etag('"2"');
          context.ttl('12s');
          context.tag('more');
          return same(context);
        },
        kept,
      );
      await clock.advance(0);
    }
    expect(etags).toEqual(['"1"', '"1"', '"2"']);
    const found = await cache.lookup('k', never, kept);
    expect(found).toMatchObject({ value: { n: 1 }, status: 'hit', ttlMs: 12_000 });
    for (const tag of ['all', 'more']) {
      await open().invalidateTags([tag]);
      expect(await cache.peek('k')).toBeUndefined();
      await cache.get('k', (context: LoadContext<{ n: number }>) => (context.tag('more'), load(context)), kept);
      await clock.advance(0);
    }
  });

  it('works behind readers, for stale entries and for fresh ones', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', load, kept);
    await clock.advance(15_000);
    await cache.get('k', same, { ...kept, swr: true });
    await clock.advance(0);
    expect(await cache.lookup('k', never, kept)).toMatchObject({ status: 'hit', ageMs: 0 });
    await clock.advance(9000);
    expect(await cache.lookup('k', same, { ...kept, refresh: 0.8 })).toMatchObject({ status: 'hit', ageMs: 9000 });
    await clock.advance(0);
    expect(await cache.lookup('k', never, kept)).toMatchObject({ value: { n: 1 }, status: 'hit', ageMs: 0 });
  });

  it('makes what was invalidated softly fresh again, for then the origin was asked', async () => {
    const { cache, clock } = shelves(form);
    for (const soften of [
      () => cache.invalidate('k', { soft: true }),
      () => cache.invalidateTags(['all'], { soft: true }),
    ]) {
      await cache.get('k', load, kept);
      await clock.advance(0);
      await soften();
      expect(await cache.get('k', same, kept)).toEqual({ n: 1 });
      await clock.advance(0);
      expect(await cache.get('k', never, kept)).toEqual({ n: 1 });
    }
  });

  it('is refused when the key or one of the tags was invalidated meanwhile', async () => {
    const { cache, clock, open } = shelves(form);
    for (const end of [() => open().invalidate('k'), () => open().invalidateTags(['all'])]) {
      await cache.get('k', load, kept);
      await clock.advance(15_000);
      const slow = gate();
      const read = cache.get(
        'k',
        async (context: LoadContext<{ n: number }>) => (await slow.passed, same(context)),
        kept,
      );
      await clock.advance(0);
      await end();
      slow.open();
      expect(await read).toEqual({ n: 1 });
      await clock.advance(0);
      expect(await cache.peek('k')).toBeUndefined();
      expect(await codeOf(cache.get('k', fail, kept))).toMatch(/is down/);
    }
  });

  it('is a clear error where there is nothing before, and frees the key', async () => {
    const { cache, open } = shelves(form);
    const error = await cache.get('k', same).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'VALUE_INVALID' });
    expect(String(error)).toMatch(/unchanged\(\).*stale/);
    expect(cache.stats()).toMatchObject({ failedLoads: 1, fills: 0 });
    expect(await open().get('k', () => ({ n: 2 }))).toEqual({ n: 2 });
  });

  it('is an error, and no wrong value, where the earlier value does not fit the schema', async () => {
    const { cache, clock } = shelves(form);
    const schema: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'nothing fits' }] }) },
    };
    await cache.get('k', load, kept);
    await clock.advance(0);
    expect(await codeOf(cache.get('k', same, { ...kept, schema }))).toBe('VALUE_INVALID');
  });

  it('is given to everybody who shares the load', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', load, kept);
    await clock.advance(15_000);
    const slow = gate();
    const wait = async (context: LoadContext<{ n: number }>) => (await slow.passed, same(context));
    const reads = [cache.get('k', wait, kept), cache.get('k', never, kept)];
    await clock.advance(0);
    reads.push(cache.get('k', never, kept));
    await clock.advance(0);
    slow.open();
    expect(await Promise.all(reads)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
  });
});

describe.each(forms)('skip(), %s', (form) => {
  it('hands a value out without storing it, to those who share the load too', async () => {
    const { cache, clock, open } = shelves(form);
    const slow = gate<string>();
    const read = cache.lookup('k', async ({ skip }) => skip(await slow.passed));
    const shared = cache.lookup<string>('k', never);
    await clock.advance(0);
    slow.open('only this once');
    const value = 'only this once';
    expect(await read).toEqual({ value, status: 'miss', stored: false, ageMs: 0, ttlMs: 0 });
    expect(await shared).toMatchObject({ value, status: 'collapsed', stored: false });
    expect(await cache.peek('k')).toBeUndefined();
    expect(await open().get('k', () => 'next')).toBe('next');
    expect(cache.stats()).toMatchObject({ fills: 0, refusedFills: 0 });
  });

  it('leaves an earlier entry where it is', async () => {
    const { cache, clock } = shelves(form);
    const events = record(cache);
    await cache.get('k', () => 'old', kept);
    await clock.advance(15_000);
    expect(await cache.get('k', ({ skip }) => skip('only this once'), kept)).toBe('only this once');
    expect(await cache.get('k', fail, kept)).toBe('old');
    expect(events).not.toContain('refused');
  });

  it('hands out what cannot be encoded', async () => {
    const { cache } = shelves(form);
    expect(await cache.get('k', ({ skip }) => skip({ fn: never }))).toEqual({ fn: never });
  });
});
