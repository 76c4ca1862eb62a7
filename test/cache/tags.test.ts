/** Shows what tags promise: one invalidation ends all entries that have one, everywhere, for a few commands. */

import type { Clock } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/support/clock.ts';
import { codeOf, counting, failing, forms, gate, inTime, isSettled, never, record, shelves } from './forms.ts';
import { namings } from './steps.ts';

const hour = 3_600_000;

describe.each(forms)('a tag, %s', (form) => {
  it.each(namings)('named by %s ends its entries and no others, in every process and namespace', async (_, read) => {
    const { cache, open } = shelves(form);
    const other = open();
    const space = cache.namespace('part');
    for (const reader of [cache, space]) for (const key of ['a', 'b']) await read(reader, key, () => 'old');
    await cache.get('untagged', () => 'kept');
    expect(await read(other, 'a', never)).toBe('old');
    await other.namespace('elsewhere').invalidateTags(['t', 'nobody has this']);
    for (const reader of [cache, space, other, other.namespace('part')]) {
      for (const key of ['a', 'b']) {
        expect(await reader.peek(key)).toBe(reader === cache || reader === space ? undefined : 'new');
        expect(await read(reader, key, () => 'new')).toBe('new');
      }
    }
    expect(await cache.get('untagged', never)).toBe('kept');
  });

  it('counts with those of the namespace, of the call, of the value and of the loader', async () => {
    const { cache } = shelves(form);
    const space = cache.namespace('part', { tags: ['of the namespace', ['country', 'fr']] });
    const get = (load: () => number) =>
      space.get<number>(
        'k',
        (context) => {
          context.tag('of the loader', ['region', 6]);
          return load();
        },
        { tags: (value: number) => [`of the value ${value}`, ['city', value]] },
      );
    await get(() => 0);
    const tags = ['of the namespace', ['country', 'fr'], 'of the loader', ['region', 6], 'of the value', ['city']];
    for (const [index, tag] of tags.entries()) {
      const value = index + 1;
      const own = tag === 'of the value' ? `of the value ${index}` : tag.length === 1 ? ['city', index] : tag;
      expect(await get(never)).toBe(index);
      await space.invalidateTags([typeof tag === 'string' ? `${tag}!` : [...tag, '!'], ['city'], ['city', value]]);
      expect(await get(never), `before ${String(own)}`).toBe(index);
      await space.invalidateTags([own]);
      expect(await get(() => value), `after ${String(own)}`).toBe(value);
    }
  });

  it('ends what `set` stored, too', async () => {
    const { cache } = shelves(form);
    await cache.set('k', 'old', { tags: ['t'] });
    await cache.set('l', 'old', { tags: (value) => [value] });
    expect([await cache.peek('k'), await cache.peek('l')]).toEqual(['old', 'old']);
    await cache.invalidateTags(['t', 'old']);
    expect([await cache.peek('k'), await cache.peek('l')]).toEqual([undefined, undefined]);
  });

  it('ends what was `set` while a mutate held the tag, by a process that knew nothing of tags', async () => {
    const { cache, clock, open } = shelves(form);
    const write = gate();
    const mutation = open().mutate([], () => write.passed, { tags: ['t'] });
    await clock.advance(0);
    await cache.set('k', 'nobody knows how old', { tags: ['t'] });
    expect(await cache.peek('k')).toBeUndefined();
    write.open();
    await mutation;
    expect(await cache.get('k', () => 'new', { tags: ['t'] })).toBe('new');
    await open().invalidateTags(['t']);
    expect(await cache.peek('k')).toBeUndefined();
  });

  it('ends a decoded copy in memory, whichever of its tags was invalidated', async () => {
    const { cache, open } = shelves(form);
    const tags = ['a', 'b', 'c'];
    for (const tag of tags) {
      await cache.get('k', () => ({ before: tag }), { tags });
      const copy = await cache.get('k', never);
      if (form === 'in memory') expect(await cache.get('k', never)).toBe(copy);
      await open().invalidateTags([tag], { soft: tag === 'b' });
      expect(await cache.get('k', () => ({ after: tag }), { tags })).toEqual({ after: tag });
      await cache.delete('k');
    }
  });

  it('lives as long as the longest entry that has it', async () => {
    for (const [, read] of namings) {
      const { cache, clock, open } = shelves(form);
      const space = cache.namespace('part', { ttl: '1d' });
      await read(space, 'k', () => 'v');
      // What a loader names for the first time is not stored if the clock of the tags moved on meanwhile.
      await read(space, 'k', () => 'v');
      await clock.advance(20 * hour);
      expect(await read(open().namespace('part'), 'k', () => 'lost')).toBe('v');
    }
  });

  it('lets entries be stored again after a soft and after a hard invalidation', async () => {
    const { cache } = shelves(form);
    for (const soft of [true, false, true]) {
      await cache.invalidateTags(['t'], { soft });
      for (const [who, read] of namings) {
        await read(cache, who, () => 'first');
        const again = counting('second');
        await read(cache, who, again);
        const last = counting('third');
        await read(cache, who, last);
        expect(again.calls + last.calls, `${who}, soft ${soft}`).toBe(0);
        await cache.delete(who);
      }
    }
  });

  it('that is invalidated softly keeps its entries for their grace', async () => {
    const { cache, open } = shelves(form);
    const options = { tags: ['t'], grace: '1h' } as const;
    await cache.get('k', () => 'old', options);
    await open().invalidateTags(['t'], { soft: true });
    expect(await cache.peek('k')).toBeUndefined();
    const failing = () => Promise.reject(new Error('the database is down'));
    expect(await cache.lookup('k', failing, options)).toMatchObject({ value: 'old', status: 'stale' });
    expect(await open().get('k', () => 'new', options)).toBe('new');
    expect(await cache.get('k', never, options)).toBe('new');
    await open().invalidateTags(['t']);
    await expect(cache.get('k', failing, options)).rejects.toThrow('the database is down');
  });

  it('does not let a load that began before a soft invalidation pass for a fresh one', async () => {
    for (const [who, read] of namings) {
      const { cache, clock, open } = shelves(form);
      const slow = gate<string>();
      const before = read(cache, 'k', () => slow.passed);
      await clock.advance(0);
      await open().invalidateTags(['t'], { soft: true });
      slow.open('old');
      await before;
      await clock.advance(0);
      expect(
        await inTime(
          clock,
          read(cache, 'k', () => 'new'),
        ),
        who,
      ).toBe('new');
    }
  });

  it('that is held by a mutate lets loads pass uncached, and entries be used by nobody', async () => {
    const { cache, clock, open } = shelves(form);
    for (const [who, read] of namings) {
      await read(cache, who, () => 'before');
      const write = gate();
      const mutation = open().mutate([], () => write.passed, { tags: ['t'] });
      await clock.advance(0);
      for (const reader of [cache, open()]) {
        expect(await reader.peek(who)).toBeUndefined();
        for (const value of ['during', 'again']) {
          expect(
            await inTime(
              clock,
              read(reader, who, () => value),
            ),
            who,
          ).toBe(value);
        }
      }
      write.open();
      await mutation;
      expect(
        await inTime(
          clock,
          read(cache, who, () => 'after'),
        ),
      ).toBe('after');
    }
  });

  it('that is held by a mutate makes no process wait for the load of another, and none load more than two at once', async () => {
    for (const [who, read] of namings) {
      const { clock, open } = shelves(form);
      const caches = [open(), open(), open()];
      for (const cache of caches)
        await inTime(
          clock,
          read(cache, 'k', () => 'before'),
        );
      const write = gate();
      const mutation = open().mutate([], () => write.passed, { tags: ['t'] });
      await clock.advance(0);
      let running = 0;
      let most = 0;
      const load = async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(clock, 40);
        running -= 1;
        return 'during';
      };
      const reads: Promise<string>[] = [];
      const startedAt = clock.monotonic();
      for (let turn = 0; turn < 20; turn += 1) {
        for (const cache of caches) reads.push(read(cache, 'k', load));
        await clock.advance(1);
      }
      const values = await inTime(clock, Promise.all(reads));
      expect(new Set(values), who).toEqual(new Set(['during']));
      expect(clock.monotonic() - startedAt, who).toBeLessThanOrEqual(100);
      expect(most, who).toBeLessThanOrEqual(2 * caches.length);
      write.open();
      await mutation;
    }
  });

  it('that the write of a mutate names is held from then on and invalidated at the end', async () => {
    const { cache, clock, open } = shelves(form);
    const options = { tags: ['t'] };
    await cache.get('k', () => 'before', options);
    const [named, write] = [gate(), gate()];
    const mutation = open().mutate(['other'], async (mutating) => {
      await named.passed;
      await mutating.invalidateTags('t');
      await write.passed;
    });
    await clock.advance(0);
    expect(await cache.get('k', never, options)).toBe('before');
    named.open();
    await clock.advance(0);
    expect(await cache.lookup('k', () => 'during', options)).toMatchObject({ status: 'bypass', reason: 'mutation' });
    write.open();
    await mutation;
    expect(await cache.get('k', () => 'after', options)).toBe('after');
    expect(await open().get('k', never)).toBe('after');
  });

  it('is free when the last of several that mutate under it ends', async () => {
    const { cache, clock, open } = shelves(form);
    const writers = [gate(), gate(), gate()].map((write) => ({ ...write, cache: open() }));
    const mutations = writers.map(({ cache, passed }) => cache.mutate([], () => passed, { tags: ['t'] }));
    await clock.advance(5000);
    for (const [index, writer] of writers.entries()) {
      expect((await cache.lookup('k', () => 'during', { tags: ['t'] })).status).toBe('bypass');
      writer.open();
      await mutations[index];
    }
    expect((await cache.lookup('k', () => 'after', { tags: ['t'] })).status).toBe('miss');
  });

  it('that somebody else wrote over is made again', async () => {
    const { cache, backend } = shelves(form);
    for (const key of ['hs!tag=t', 'hs!clock']) {
      await cache.get('k', () => 'old', { tags: ['t'] });
      await backend.values.set(key, Buffer.from('rubbish'), Infinity);
      if (key === 'hs!tag=t') expect(await cache.get('k', () => 'new', { tags: ['t'] })).toBe('new');
      await cache.invalidateTags(['t']);
      expect(await cache.peek('k')).toBeUndefined();
      await cache.get('k', () => 'new', { tags: ['t'] });
      expect(await cache.get('k', never, { tags: ['t'] })).toBe('new');
      await cache.delete('k');
    }
  });

  it('is refused when it is none, and when there are too many', async () => {
    const { cache } = shelves(form);
    // @ts-expect-error: a number is no tag
    expect(await codeOf(cache.get('k', () => 1, { tags: [7] }))).toBe('KEY_INVALID');
    // @ts-expect-error: one tag in the place of the list
    expect(await codeOf(cache.get('k', () => 1, { tags: 't' }))).toBe('OPTION_INVALID');
    // @ts-expect-error: one tag in the place of the list
    expect(await codeOf(cache.invalidateTags('t'))).toBe('OPTION_INVALID');
    const tags = Array.from({ length: 65 }, (_, index) => `tag ${index}`);
    expect(await codeOf(cache.get('k', () => 1, { tags }))).toBe('OPTION_INVALID');
    expect(await codeOf(cache.set('k', 1, { tags }))).toBe('OPTION_INVALID');
    expect(await cache.get('k', () => 2, { tags: tags.slice(1) })).toBe(2);
    expect(await cache.get('k', never)).toBe(2);
  });
});

describe('a caller that joins a load', () => {
  it.each(namings)('whose tag, named by %s, is invalidated before it came gets another load', async (_, read) => {
    const { cache, clock, open } = shelves();
    await read(cache, 'experience', () => 'e');
    const slow = gate<string>();
    const before = read(cache, 'k', () => slow.passed);
    await clock.advance(0);
    await open().invalidateTags(['t']);
    const after = read(cache, 'k', () => 'new');
    await clock.advance(0);
    slow.open('old');
    expect(await before).toBe('old');
    expect(await inTime(clock, after)).toBe('new');
    expect(await read(cache, 'k', never)).toBe('new');
  });

  it.each(namings)('under a tag that %s names shares it otherwise', async (_, read) => {
    const { cache, clock } = shelves();
    await read(cache, 'experience', () => 'e');
    const slow = gate<string>();
    const reads = [read(cache, 'k', () => slow.passed)];
    await clock.advance(0);
    reads.push(read(cache, 'k', never));
    await clock.advance(0);
    reads.push(read(cache, 'k', never));
    slow.open('v');
    expect(await Promise.all(reads)).toEqual(['v', 'v', 'v']);
  });
});

describe('an invalidation of a tag that the backend does not confirm', () => {
  const broken = { 'the clock': 'hs!clock', 'the stamp': 'hs!tag=t' };

  it.each(Object.entries(broken))('because of %s is distrusted here, and repeated', async (_, key) => {
    for (const code of ['BACKEND_DOWN', 'OUTCOME_UNKNOWN', 'BACKEND_REFUSED'] as const) {
      const { cache, clock, open, wire } = shelves();
      for (const [who, read] of namings) await read(cache, who, () => 'old');
      await cache.get('untagged', () => 'fine');
      const events = record(cache);
      wire.before = failing(code, (verb, keys) => ['cas', 'add', 'set'].includes(verb) && keys[0] === key);
      expect(await codeOf(cache.invalidateTags(['t']))).toBe(code);
      expect(cache.stats().unconfirmed).toBe(1);
      for (const [who, read] of namings) {
        expect(await cache.peek(who)).toBeUndefined();
        expect(
          await inTime(
            clock,
            read(cache, who, () => 'new'),
          ),
        ).toBe('new');
      }
      expect(await cache.get('untagged', never)).toBe('fine');
      await clock.advance(3000);
      wire.before = () => {};
      await clock.advance(1000);
      expect(cache.stats().unconfirmed).toBe(0);
      expect([events[0], events.at(-1)]).toEqual([`unconfirmed ${code}`, 'confirmed']);
      for (const [who, read] of namings)
        expect(
          await inTime(
            clock,
            read(open(), who, () => 'newer'),
          ),
        ).toBe('newer');
    }
  });

  it('is not passed by in this process through a load that began before', async () => {
    const { cache, clock, wire } = shelves();
    const loader = (context: { tag(tag: string): void }) => {
      context.tag('t');
      return slow.passed;
    };
    const slow = gate<string>();
    const before = cache.get('k', loader);
    await clock.advance(0);
    wire.before = failing('BACKEND_DOWN', (verb) => verb === 'cas');
    await codeOf(cache.invalidateTags(['t']));
    wire.before = failing('BACKEND_DOWN', (verb, keys) => verb === 'cas' && keys[0] === 'hs!clock');
    const after = cache.get('k', () => 'new');
    await clock.advance(0);
    slow.open('old');
    expect(await before).toBe('old');
    expect(await inTime(clock, after)).toBe('new');
  });

  it('of a mutate is repeated too', async () => {
    const { cache, clock, open, wire } = shelves();
    for (const [who, read] of namings) await read(cache, who, () => 'old');
    await cache.mutate([], () => void (wire.before = failing('BACKEND_DOWN')), { tags: ['t'] });
    expect(cache.stats().unconfirmed).toBe(1);
    wire.before = () => {};
    await clock.advance(11_000);
    expect(cache.stats().unconfirmed).toBe(0);
    for (const [who, read] of namings)
      expect(
        await inTime(
          clock,
          read(open(), who, () => 'new'),
        ),
      ).toBe('new');
    for (const [who, read] of namings) expect(await read(cache, who, never)).toBe('new');
  });
});

describe('a load whose tags cannot be read when it is to be stored', () => {
  it('gives its lease up', async () => {
    const { cache, clock, open, wire } = shelves();
    const events = record(cache);
    const read = (reader: typeof cache, load: () => Promise<string> | string) =>
      reader.get('k', (context) => {
        context.tag('t');
        return load();
      });
    const slow = gate<string>();
    const first = read(cache, () => slow.passed);
    await clock.advance(0);
    wire.before = failing('BACKEND_DOWN', (verb, keys) => verb === 'get' && keys[0] === 'hs!tag=t');
    slow.open('v1');
    expect(await first).toBe('v1');
    await clock.advance(0);
    expect(events).toContain('failed BACKEND_DOWN');
    wire.before = () => {};
    const second = read(open(), () => 'v2');
    await clock.advance(50);
    expect(await isSettled(second)).toBe(true);
    expect(await second).toBe('v2');
  });
});

describe('two processes whose wall clocks are an hour apart', () => {
  it.each([
    ['the later one changes', 0],
    ['the earlier one changes', 1],
  ])('never read what was invalidated: %s', async (_, changing) => {
    for (const [who, read] of namings) {
      const { clock, open } = shelves();
      const ahead: Clock = { ...clock, now: () => clock.now() + hour };
      const pair = [open({ clock: ahead }), open()];
      const [changer = never(), reader = never()] = changing === 0 ? pair : pair.toReversed();
      for (let round = 0; round < 5; round += 1) {
        for (const each of pair)
          await inTime(
            clock,
            read(each, 'k', () => `loaded ${round}`),
          );
        const slow = gate<string>();
        const inFlight = read(reader, 'slow', () => slow.passed);
        await clock.advance(0);
        await (round % 2 === 0
          ? changer.invalidateTags(['t'])
          : inTime(
              clock,
              changer.mutate([], () => {}, { tags: ['t'] }),
            ));
        slow.open(`in flight ${round}`);
        await inTime(clock, inFlight);
        for (const each of pair) {
          for (const key of ['k', 'slow']) {
            const value = await inTime(
              clock,
              read(each, key, () => `new ${round}`),
            );
            expect(value, `${who}, ${key}`).toBe(`new ${round}`);
          }
        }
        await changer.invalidate('k', 'slow');
      }
    }
  });

  it('give each other nothing that is older than its ttl', async () => {
    const { clock, open } = shelves();
    const ahead: Clock = { ...clock, now: () => clock.now() + hour };
    for (const [writer, reader] of [
      [open({ clock: ahead }), open()],
      [open(), open({ clock: ahead })],
    ] as const) {
      const options = { tags: ['t'], ttl: '1m' } as const;
      await writer.get('k', () => 'old', options);
      const first = await reader.lookup('k', () => 'own', options);
      expect(first.ttlMs).toBeLessThanOrEqual(60_000);
      await clock.advance(60_000);
      expect(await reader.get('k', () => 'new', options)).toBe('new');
      await clock.advance(60_000);
    }
  });
});
