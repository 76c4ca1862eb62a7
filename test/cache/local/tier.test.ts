/** Shows that the local tier serves nothing that was dropped, nothing that may have been, and stays within its bounds. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { type FakeClock, fakeClock } from 'hotshelf/testing';
import { type Drop, everything } from '../../../src/cache/local/message.ts';
import { LocalTier, type LocalTierOptions, type PutOptions, type Ticket } from '../../../src/cache/local/tier.ts';

const maxLagMs = 300;

interface Shelf {
  readonly clock: FakeClock;
  readonly tier: LocalTier<string>;
  readonly put: (key: string, options?: Partial<PutOptions>, ticket?: Ticket) => boolean;
}

function shelf(options: Partial<LocalTierOptions> = {}, clock = fakeClock()): Shelf {
  const bounds = { maxBytes: 1_000_000, maxEntries: 1000, maxLagMs, timed: false, tracking: false };
  const tier = new LocalTier<string>({ ...bounds, ...options }, clock);
  tier.trust(0);
  const plain = { expiresInMs: 60_000, tags: [], weightBytes: 10 };
  return {
    clock,
    tier,
    put: (key, more, ticket = tier.ticket()) => tier.put(key, `value of ${key}`, { ...plain, ...more }, ticket),
  };
}

const drops: readonly (readonly [string, Drop])[] = [
  ['its key', { keys: ['hs:city:#7'] }],
  ['one of its tags', { tags: ['country:fr'] }],
  ['a prefix of its key', { prefixes: ['hs:city'] }],
  ['everything', everything],
];
const strangers: readonly (readonly [string, Drop])[] = [
  ['another key', { keys: ['hs:city:#8', 'hs:city', 'country:fr'] }],
  ['another tag', { tags: ['country:de', 'hs:city:#7'] }],
  ['another prefix', { prefixes: ['hs:city:#77', 'hs:town'] }],
  ['nothing', {}],
];
const tagged = { tags: ['europe', 'country:fr'] };

describe('a value', () => {
  it('is served to its time and not longer', async () => {
    const { clock, tier, put } = shelf({ timed: true, maxLagMs: 60_000 });
    expect(put('k', { expiresInMs: 1000, refreshInMs: 700 })).toBe(true);
    expect(tier.peek('k')).toMatchObject({ content: 'value of k', expiresAt: 1000, refreshAt: 700, tags: [] });
    await clock.advance(999);
    expect(tier.peek('k')?.content).toBe('value of k');
    await clock.advance(1);
    expect(tier.peek('k')).toBeUndefined();
    expect(tier.stats).toEqual({ entries: 0, bytes: 0, tags: 0 });
  });

  it.each(drops)('is gone after a drop of %s', (_, drop) => {
    const { tier, put } = shelf();
    put('hs:city:#7', tagged);
    tier.drop(drop);
    expect(tier.peek('hs:city:#7')).toBeUndefined();
    expect(tier.stats).toEqual({ entries: 0, bytes: 0, tags: 0 });
  });

  it.each(strangers)('stays after a drop of %s', (_, drop) => {
    const { tier, put } = shelf();
    put('hs:city:#7', tagged);
    tier.drop(drop);
    expect(tier.peek('hs:city:#7')).toBeDefined();
  });

  it.each(drops)('is not kept when its read began before a drop of %s', (_, drop) => {
    const { tier, put } = shelf();
    const ticket = tier.ticket();
    tier.drop(drop);
    expect(put('hs:city:#7', tagged, ticket)).toBe(false);
    expect(tier.peek('hs:city:#7')).toBeUndefined();
    expect(put('hs:city:#7', tagged)).toBe(true);
  });

  it.each(strangers)('is kept when its read began before a drop of %s', (_, drop) => {
    const { tier, put } = shelf();
    const ticket = tier.ticket();
    tier.drop(drop);
    expect(put('hs:city:#7', tagged, ticket)).toBe(true);
  });

  it('that a later read brought is not replaced by one that began before a drop', () => {
    const { tier, put } = shelf();
    const early = tier.ticket();
    tier.drop({ keys: ['k'] });
    put('k');
    expect(tier.put('k', 'old', { expiresInMs: 1000, tags: [], weightBytes: 1 }, early)).toBe(false);
    expect(tier.peek('k')?.content).toBe('value of k');
  });

  it('that is too heavy or out of time is not kept, and neither is what it would have replaced', () => {
    const { tier, put } = shelf({ maxBytes: 10_000 });
    for (const unfit of [{ weightBytes: 10_001 }, { expiresInMs: 0 }, { expiresInMs: -5 }]) {
      expect(put('k')).toBe(true);
      expect(put('k', unfit)).toBe(false);
      expect(tier.peek('k')).toBeUndefined();
    }
  });
});

describe('the memory of drops', () => {
  it.each(['keys', 'tags', 'prefixes'] as const)('is bounded, and refuses what it cannot know: %s', (kind) => {
    const { tier, put } = shelf();
    const ticket = tier.ticket();
    const names = (from: number, count: number) => Array.from({ length: count }, (_, index) => `x${from + index}`);
    for (const name of names(0, 1000)) tier.drop({ [kind]: [name] });
    expect(put('k', { tags: ['t'] }, ticket)).toBe(true);
    for (const name of names(1000, 10_000)) tier.drop({ [kind]: [name] });
    expect(put('k', { tags: ['t'] }, ticket)).toBe(false);
    const later = tier.ticket();
    tier.drop({ [kind]: ['one more'] });
    expect(put('k', { tags: ['t'] }, later)).toBe(true);
  });

  it('never keeps a value that was dropped since its read began, whatever else happened', () => {
    const name = fc.integer({ min: 0, max: 3000 });
    const step = fc.oneof(
      { weight: 5, arbitrary: name.map((from) => ({ do: 'drop', from }) as const) },
      { weight: 2, arbitrary: name.map((from) => ({ do: 'ticket', from }) as const) },
      { weight: 2, arbitrary: name.map((from) => ({ do: 'put', from }) as const) },
    );
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { tier, put } = shelf({ maxEntries: 10_000 });
      const droppedAt = new Map<string, number>();
      let taken = { ticket: tier.ticket(), at: 0 };
      for (const [at, { do: verb, from }] of steps.entries()) {
        if (verb === 'ticket') taken = { ticket: tier.ticket(), at };
        else if (verb === 'drop') {
          const keys = Array.from({ length: 150 }, (_, index) => `k${from + index}`);
          for (const key of keys) droppedAt.set(key, at);
          tier.drop({ keys });
        } else {
          const kept = put(`k${from}`, {}, taken.ticket);
          if ((droppedAt.get(`k${from}`) ?? -1) > taken.at) expect(kept).toBe(false);
        }
      }
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe('trust', () => {
  it('lasts maxLag from when the last answered probe was sent', async () => {
    const { clock, tier, put } = shelf();
    put('k');
    await clock.advance(200);
    tier.trust(50);
    await clock.advance(249);
    expect(tier.peek('k')).toBeDefined();
    expect(tier.trusted).toBe(true);
    await clock.advance(1);
    expect(tier.peek('k')).toBeUndefined();
    expect(tier.trusted).toBe(false);
    // Nothing was lost: the answer only came late, after all announcements before it.
    tier.trust(250);
    expect(tier.peek('k')).toBeDefined();
  });

  it('is not shortened by the answer to an earlier probe', async () => {
    const { clock, tier, put } = shelf();
    put('k');
    tier.trust(250);
    await clock.advance(299);
    expect(tier.peek('k')).toBeDefined();
  });

  it('is none before the first probe, and what was read before it is not kept', () => {
    const clock = fakeClock();
    const tier = new LocalTier<string>(
      { maxBytes: 1000, maxEntries: 10, maxLagMs, timed: false, tracking: false },
      clock,
    );
    const options = { expiresInMs: 1000, tags: [], weightBytes: 1 };
    const early = tier.ticket();
    expect(tier.put('k', 'old', options, early)).toBe(false);
    tier.trust(0);
    expect(tier.put('k', 'old', options, early)).toBe(false);
    expect(tier.put('k', 'new', options, tier.ticket())).toBe(true);
  });

  it('ends with a gap, which also drops everything and refuses what was read before its end', () => {
    const { tier, put } = shelf();
    put('k');
    const before = tier.ticket();
    tier.distrust();
    expect(tier.stats.entries).toBe(0);
    const within = tier.ticket();
    expect(put('k')).toBe(false);
    tier.trust(10);
    expect(tier.peek('k')).toBeUndefined();
    expect(put('k', {}, before)).toBe(false);
    expect(put('k', {}, within)).toBe(false);
    expect(put('k')).toBe(true);
  });

  it('needs both channels where the server tells of changes too', async () => {
    const { clock, tier, put } = shelf({ tracking: true });
    expect(put('k')).toBe(false);
    tier.trust(0, 'changes');
    expect(put('k')).toBe(true);
    await clock.advance(200);
    tier.trust(0);
    await clock.advance(100);
    expect(tier.peek('k')).toBeUndefined();
    tier.trust(0, 'changes');
    expect(tier.peek('k')).toBeDefined();
    tier.distrust('changes');
    tier.trust(0);
    expect([tier.peek('k'), put('k')]).toEqual([undefined, false]);
  });
});

describe('a tier that nobody tells of invalidations', () => {
  it('serves a value for maxLag from when its read began', async () => {
    const { clock, tier, put } = shelf({ timed: true });
    const ticket = tier.ticket();
    await clock.advance(100);
    expect(put('k', {}, ticket)).toBe(true);
    await clock.advance(199);
    expect(tier.peek('k')).toBeDefined();
    await clock.advance(1);
    expect(tier.peek('k')).toBeUndefined();
  });

  it('keeps nothing of a read that took longer, and goes on after a clear', async () => {
    const { clock, tier, put } = shelf({ timed: true });
    const ticket = tier.ticket();
    await clock.advance(300);
    expect(put('k', {}, ticket)).toBe(false);
    tier.distrust();
    expect(put('k')).toBe(true);
    expect(tier.peek('k')).toBeDefined();
  });
});

describe('the bounds', () => {
  it('hold after a million values with tags, and no tag remembers what is gone', () => {
    const { tier, put } = shelf({ maxBytes: 500_000, maxEntries: 1000 });
    for (let index = 0; index < 1_000_000; index += 1) put(`k${index}`, { tags: [`t${index % 5000}`, `u${index}`] });
    const { entries, bytes, tags } = tier.stats;
    expect(entries).toBeGreaterThan(800);
    expect(entries).toBeLessThanOrEqual(1000);
    expect(bytes).toBeLessThanOrEqual(500_000);
    expect(tags).toBeLessThanOrEqual(entries * 2);
    for (let index = 0; index < 5000; index += 1) tier.drop({ tags: [`t${index}`] });
    expect(tier.stats).toEqual({ entries: 0, bytes: 0, tags: 0 });
  });

  it('count keys and tags', () => {
    const { tier, put } = shelf();
    put('k', { weightBytes: 0 });
    const bare = tier.stats.bytes;
    put('k'.repeat(101), { weightBytes: 0 });
    expect(tier.stats.bytes - bare * 2).toBe(100);
    put('k', { weightBytes: 0, tags: ['t'.repeat(50)] });
    expect(tier.stats.bytes - bare * 2 - 100).toBeGreaterThanOrEqual(50);
  });

  it('keep the books of tags right when a value is replaced', () => {
    const { tier, put } = shelf();
    put('k', { tags: ['a', 'b', 'b'] });
    put('k', { tags: ['b', 'c'] });
    tier.drop({ tags: ['a'] });
    expect(tier.peek('k')).toBeDefined();
    expect(tier.stats.tags).toBe(2);
    tier.drop({ tags: ['c'] });
    expect(tier.stats).toEqual({ entries: 0, bytes: 0, tags: 0 });
  });
});
