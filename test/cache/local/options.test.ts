/** Shows which options a local tier takes, and what is said about the others. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/backend/bus.ts';
import type { Changes, Resident } from '../../../src/backend/values.ts';
import { checkLocalOptions, localDefaults, type LocalOptions } from '../../../src/cache/local/options.ts';
import { HotshelfError } from '../../../src/support/errors.ts';

const bus: Bus = {
  ordered: true,
  publish: async () => 0,
  subscribe: async () => ({ close: async () => {} }),
};
const changes: Changes = { watch: async () => ({ close: async () => {} }) };
const resident: Resident = { peek: () => undefined, drop: () => {} };

const withBus = { name: 'redis', bus, values: { changes } };
const withoutChanges = { name: 'redis', bus, values: {} };
const withoutBus = { name: 'memcached', values: {} };
const inMemory = { name: 'memory', bus, values: { resident } };

function refusal(local: unknown, backend: Parameters<typeof checkLocalOptions>[1]): string {
  try {
    checkLocalOptions(local as LocalOptions, backend);
  } catch (error) {
    if (error instanceof HotshelfError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('a local tier', () => {
  it('is none unless it is asked for, and none where values are local already', () => {
    expect(checkLocalOptions(undefined, withBus)).toBeUndefined();
    expect(checkLocalOptions(false, withBus)).toBeUndefined();
    expect(checkLocalOptions(true, inMemory)).toBeUndefined();
    expect(checkLocalOptions({ tracking: true, ack: true }, inMemory)).toBeUndefined();
    expect(refusal({ maxBytes: 0 }, inMemory)).toContain('maxBytes');
  });

  it('has defaults, and the documentation says them', () => {
    const { maxLag: _, ...defaults } = localDefaults;
    expect(checkLocalOptions(true, withBus)).toEqual({ ...defaults, maxLagMs: 500, timed: false });
    expect(checkLocalOptions({}, withBus)).toEqual(checkLocalOptions(true, withBus));
    const source = readFileSync(new URL('../../../src/cache/local/options.ts', import.meta.url), 'utf8');
    const documented = Array.from(source.matchAll(/@default (\S+)\n\s+\*\/\n\s+(\w+)\?:/g), ([, value, name]) => [
      name,
      value?.replaceAll(/_(?=\d)|'/g, ''),
    ]);
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(Object.entries(localDefaults).map(([name, value]) => [name, String(value)])),
    );
  });

  it('takes what is said', () => {
    const all = { maxBytes: 1000, maxEntries: 10, maxLag: '2s', ack: true, clone: true, tracking: true } as const;
    const { maxLag: _, ...rest } = all;
    expect(checkLocalOptions(all, withBus)).toEqual({ ...rest, maxLagMs: 2000, timed: false });
    expect(checkLocalOptions({ maxLag: 20 }, withBus)?.maxLagMs).toBe(20);
    expect(checkLocalOptions({ maxLag: '1m' }, withBus)?.maxLagMs).toBe(60_000);
  });

  it('is timed without a bus, and then needs maxLag', () => {
    expect(checkLocalOptions({ maxLag: '200ms', ack: true }, withoutBus)).toMatchObject({
      timed: true,
      maxLagMs: 200,
      ack: true,
    });
    for (const local of [true, {}, { ack: true }])
      expect(refusal(local, withoutBus)).toMatch(/^OPTION_INVALID The memcached adapter has no bus.*maxLag: '200ms'/);
  });

  it('cannot follow changes where the server tells none', () => {
    expect(refusal({ tracking: true }, withoutChanges)).toMatch(/^OPTION_INVALID The redis adapter .*`local.tracking`/);
    expect(refusal({ tracking: true, maxLag: 100 }, withoutBus)).toMatch(/`local.tracking`/);
  });

  it.each([
    [{ maxLag: 19 }, 'from 20 ms to 1 minute'],
    [{ maxLag: '61s' }, 'from 20 ms to 1 minute'],
    [{ maxLag: 'soon' }, '`local.maxLag`'],
    [{ maxBytes: 0 }, '`local.maxBytes`'],
    [{ maxBytes: 1.5 }, '`local.maxBytes`'],
    [{ maxEntries: -1 }, '`local.maxEntries`'],
    [{ maxEntries: Infinity }, '`local.maxEntries`'],
    [{ ack: 1 }, '`local.ack`'],
    [{ clone: 'yes' }, '`local.clone`'],
    [{ tracking: null }, '`local.tracking`'],
    [{ maxBytes: null }, '`local.maxBytes`'],
    [{ maxlag: 100 }, 'Did you mean `maxLag`'],
    ['yes', '`local`'],
    [null, '`local`'],
    [7, '`local`'],
  ])('refuses %j', (local, words) => {
    expect(refusal(local, withBus)).toContain(words);
  });
});
