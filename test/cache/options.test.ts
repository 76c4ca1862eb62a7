/** Shows that every option is checked before anything is done, and that documented defaults are the real ones. */

import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  connect,
  createCache,
  facet,
  type BackendWith,
  type Cache,
  type CacheOptions,
  type Duration,
  type EntryOptions,
  HotshelfError,
  jsonCodec,
  type MutateOptions,
} from 'hotshelf';
import { memory } from 'hotshelf/memory';
import { memoryDefaults } from '../../adapters/memory/options.ts';
import { defaults } from '../../src/cache/options.ts';
import { defaultPolicy } from '../../src/cache/policy.ts';
import { codeOf, never, shelves } from './forms.ts';

const backend = memory();
const elevenYears = 11 * 365 * 86_400_000;
const badDurations = [
  '5 parsecs',
  '',
  '5',
  '-5s',
  '1e3s',
  ' 5s',
  '5S',
  '٥s',
  -1,
  Number.NaN,
  Infinity,
  -Infinity,
  elevenYears,
  '4016d',
  null,
  {},
  [],
  true,
  5n,
  new Date(),
];

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof HotshelfError && error.code === 'OPTION_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('createCache', () => {
  it.each(['ttl', 'negativeTtl', 'wait'])('refuses every bad %s, and says which option it is', (name) => {
    for (const [index, bad] of (name === 'wait' ? badDurations : [...badDurations, 0]).entries()) {
      const options = { backend, [name]: bad } as unknown as CacheOptions;
      expect(
        messageOf(() => createCache(options)),
        `no. ${index}`,
      ).toContain(`\`${name}\``);
    }
  });

  it('takes good ones', () => {
    const make = () =>
      createCache({ backend, ttl: 1, negativeTtl: '1.5m', wait: 0, maxValueBytes: 1, prefix: 'a-b_c.9' });
    expect(make).not.toThrow();
    expect(() => createCache({ backend, ttl: '3650d' })).not.toThrow();
  });

  it.each(['', 'a b', 'a/b', 'a:b', 'ü', 'x'.repeat(41), 5, null, {}])('refuses the prefix %j', (prefix) => {
    expect(messageOf(() => createCache({ backend, prefix: prefix as string }))).toContain('`prefix`');
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, '5', null, 2 ** 53])('refuses %j for maxValueBytes', (bytes) => {
    expect(messageOf(() => createCache({ backend, maxValueBytes: bytes as number }))).toContain('`maxValueBytes`');
  });

  it('keeps to the limit of the backend where that is lower', async () => {
    const small = memory({ maxBytes: 100_000, maxValueBytes: 1000 });
    const cache = createCache({ backend: small, maxValueBytes: 1e9 });
    expect(await codeOf(cache.set('k', 'x'.repeat(1000)))).toBe('VALUE_TOO_LARGE');
  });

  it.each([undefined, null, 5, 'memory:', {}, memory, Promise.resolve(backend)])(
    'refuses no. %# for a backend',
    (bad) => {
      expect(messageOf(() => createCache({ backend: bad as never }))).toContain('`backend`');
    },
  );

  it.each([5, null, {}, { id: 1 }, { id: 300, encode: never, decode: never, isPlain: never }])(
    'refuses %j for a codec',
    (codec) => {
      expect(messageOf(() => createCache({ backend, codec: codec as never }))).toContain('`codec`');
    },
  );

  it.each([5, null, {}, { now: Date.now }])('refuses %j for a clock', (clock) => {
    expect(messageOf(() => createCache({ backend, clock: clock as never }))).toContain('`clock`');
  });

  it('says which facet a backend lacks, and what to do', () => {
    const { values: _, ...without } = backend;
    // @ts-expect-error: a cache needs values
    expect(() => createCache({ backend: without })).toThrowError(
      expect.objectContaining({
        code: 'FACET_MISSING',
        message: expect.stringContaining('memory adapter has no values'),
      }),
    );
  });

  it('hints at the option that was meant', () => {
    const unknown = (options: object) => messageOf(() => createCache({ backend, ...options }));
    expect(unknown({ tll: 5 })).toContain('Did you mean `ttl`?');
    expect(unknown({ TTL: 5 })).toContain('Did you mean `ttl`?');
    expect(unknown({ negativeTTL: 5 })).toContain('Did you mean `negativeTtl`?');
    expect(unknown({ maxValueByte: 5 })).toContain('Did you mean `maxValueBytes`?');
    expect(unknown({ something: 5 })).toContain('It knows ttl,');
    expect(unknown({ ['x'.repeat(5000)]: 5 }).length).toBeLessThan(300);
  });

  it.each([null, 5, 'ttl', []])('refuses %j for options', (options) => {
    expect(messageOf(() => createCache(options as never))).toBeDefined();
  });
});

describe('the options of a call', () => {
  const calls: Record<string, (cache: Cache, options: object) => Promise<unknown>> = {
    get: (cache, options) => cache.get('k', never, options),
    lookup: (cache, options) => cache.lookup('k', never, options),
    set: (cache, options) => cache.set('k', 1, options),
    namespace: async (cache, options) => cache.namespace('n', options),
    wrap: async (cache, options) => cache.wrap('n', never, options),
  };
  it.each(Object.entries(calls))('of %s are checked before anything is sent', async (_, call) => {
    const { cache, wire } = shelves();
    for (const [index, bad] of [...badDurations, 0].entries())
      expect(await codeOf(call(cache, { ttl: bad })), `no. ${index}`).toBe('OPTION_INVALID');
    expect(await codeOf(call(cache, { tll: 5 }))).toBe('OPTION_INVALID');
    expect(await codeOf(call(cache, [] as never))).toBe('OPTION_INVALID');
    expect(await codeOf(call(cache, null as never))).toBe('OPTION_INVALID');
    expect(wire.sent).toEqual([]);
  });

  it.each([
    { settle: '5 parsecs' },
    { settle: -1 },
    { settle: Infinity },
    { strict: 'yes' },
    { strict: 1 },
    { strct: true },
    null,
  ])('of mutate are checked before the write: %j', async (options) => {
    const { cache, wire } = shelves();
    expect(await codeOf(cache.mutate(['k'], never, options as never))).toBe('OPTION_INVALID');
    expect(wire.sent).toEqual([]);
  });

  it('may be undefined, one by one or all', async () => {
    const { cache } = shelves();
    expect(await cache.get('k', () => 1, undefined)).toBe(1);
    expect(await cache.get('l', () => 1, { ttl: undefined, wait: undefined })).toBeDefined();
    expect(await cache.mutate(['k'], () => 1, {})).toBe(1);
  });
});

describe('a documented default', () => {
  const actual: Record<string, Record<string, unknown>> = {
    'src/cache/options.ts': {
      ttl: defaults.ttl,
      negativeTtl: defaults.negativeTtl,
      wait: defaults.wait,
      prefix: defaults.prefix,
      settle: 0,
      strict: false,
    },
    'adapters/memory/options.ts': memoryDefaults,
  };
  it.each(Object.entries(actual))('is the real one: %s', (file, values) => {
    const documented = defaultsOf(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
    for (const [name, value] of Object.entries(values)) expect(documented.get(name), `of ${name}`).toBe(String(value));
  });

  it('is what a policy starts with', () => {
    expect(defaultPolicy(5, jsonCodec)).toEqual({
      ttl: 60_000,
      negativeTtlMs: undefined,
      jitter: 0.05,
      graceMs: 0,
      refresh: undefined,
      swr: false,
      softMs: Infinity,
      hardMs: Infinity,
      waitMs: 10_000,
      tags: [],
      tagsOf: [],
      fresh: false,
      verify: 0,
      schema: undefined,
      accept: undefined,
      maxValueBytes: 5,
      codec: jsonCodec,
    });
  });
});

/** The first word behind `@default` above each option, without quotes and digit separators. */
function defaultsOf(source: string): Map<string, string> {
  const found = source.matchAll(/@default ([^\n*]+?)(?:,[^\n]*)?\s*\*\/\s*(?:readonly )?(\w+)\?:/g);
  return new Map(Array.from(found, ([, text = '', name = '']) => [name, text.replaceAll(/^'|'$|(?<=\d)_(?=\d)/g, '')]));
}

describe('types', () => {
  it('infer the value of a read from its loader', () => {
    const cache = createCache({ backend });
    const read = () => cache.get(['city', 7], async () => ({ name: 'Nice' }));
    expectTypeOf(read).returns.resolves.toEqualTypeOf<{ name: string }>();
    const looked = () => cache.lookup('k', () => 5);
    expectTypeOf(looked).returns.resolves.toHaveProperty('value').toEqualTypeOf<number>();
    const maybe = () => cache.get('k', (): string | null => null);
    expectTypeOf(maybe).returns.resolves.toEqualTypeOf<string | null>();
    const peeked = () => cache.peek('k');
    expectTypeOf(peeked).returns.resolves.toBeUnknown();
  });

  it('keep the arguments of a wrapped function', () => {
    const wrapped = createCache({ backend }).wrap('f', (id: number, name?: string) => `${id}${name}`);
    expectTypeOf(wrapped).parameters.toEqualTypeOf<[id: number, name?: string]>();
    expectTypeOf(wrapped).returns.resolves.toBeString();
    expectTypeOf<Parameters<(typeof wrapped)['invalidate']>>().toEqualTypeOf<[id: number, name?: string]>();
  });

  it('pass the result of a write through', () => {
    const mutate = () => createCache({ backend }).mutate(['k'], async () => ({ rows: 1 }));
    expectTypeOf(mutate).returns.resolves.toEqualTypeOf<{ rows: number }>();
  });

  it('refuse durations that have no known unit', () => {
    const good: Duration[] = [5, '5ms', '1.5h', '30s', '10m', '7d'];
    expect(good).toHaveLength(6);
    // @ts-expect-error: no such unit
    const parsecs: EntryOptions = { ttl: '5 parsecs' };
    // @ts-expect-error: a number in quotes needs a unit
    const bare: MutateOptions = { settle: '5' };
    // @ts-expect-error: not a span
    const never: EntryOptions = { ttl: null };
    expect([parsecs, bare, never]).toHaveLength(3);
  });

  it('refuse facets that a backend lacks', async () => {
    const cached: BackendWith<'values' | 'counters'> = memory();
    // @ts-expect-error: memcached has no bus
    const bus = () => cached.bus.publish('t', 'm');
    expect(bus).toBeTypeOf('function');
    expectTypeOf(connect<'memcached://h'>).returns.resolves.toEqualTypeOf<
      BackendWith<'values' | 'counters' | 'limits' | 'rankings'>
    >();
    expectTypeOf(connect<'redis://h'>)
      .returns.resolves.toHaveProperty('bus')
      .not.toBeUndefined();
    expectTypeOf(connect<'memory:'>)
      .returns.resolves.toHaveProperty('bus')
      .not.toBeUndefined();
    expectTypeOf(connect<'memcached://h'>)
      .returns.resolves.toHaveProperty('bus')
      .extract<undefined>()
      .toBeUndefined();
    expectTypeOf(facet(cached, 'values', 'this test')).toEqualTypeOf(cached.values);
  });
});
