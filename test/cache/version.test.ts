/** Shows that releases with different versions of a value share a backend: none reads another's, and invalidations reach all. */

import type { Cache } from 'hotshelf';
import { describe, expect, it } from 'vitest';
import { codeOf, counting, forms, gate, inTime, never, shelves } from './forms.ts';

/** Every way to say that what is cached is no longer true. */
const endings: readonly (readonly [string, (cache: Cache) => Promise<unknown>])[] = [
  ['invalidate', (cache) => cache.invalidate('k')],
  ['delete', (cache) => cache.delete('k')],
  ['invalidateTags', (cache) => cache.invalidateTags(['t'])],
  ['clear', (cache) => cache.clear()],
  ['mutate', (cache) => cache.mutate(['k'], () => {})],
  ['mutate with a tag', (cache) => cache.mutate([], () => {}, { tags: ['t'] })],
];

describe.each(forms)('two versions, %s', (form) => {
  it('never read what the other one cached', async () => {
    const { open } = shelves(form);
    for (const [one, other] of [
      [1, 2],
      ['1', 1],
      [undefined, 1],
      ['', undefined],
      ['a', 'b'],
    ]) {
      const [before, after] = [one, other].map((version) => open(version === undefined ? {} : { version }));
      await before?.set('k', 'of the first');
      expect(await after?.peek('k'), `${one} and ${other}`).toBeUndefined();
      expect(await after?.get('k', () => 'of the second')).toBe('of the second');
      expect(await after?.get('k', never)).toBe('of the second');
      expect(await before?.peek('k')).toBeUndefined();
      expect(await before?.getMany([], ['k'], () => ['again'])).toEqual(['again']);
      await after?.delete('k');
    }
  });

  it('of one name are one', async () => {
    const { open } = shelves(form);
    await open({ version: 3 }).get('k', () => 'v');
    expect(await open({ version: 3 }).get('k', never)).toBe('v');
  });

  it('of a namespace count for it and those inside it', async () => {
    const { cache, open } = shelves(form);
    await cache.namespace('rows', { version: 1 }).namespace('inside').set('k', 'of the first');
    expect(await cache.namespace('rows', { version: 1 }).namespace('inside').peek('k')).toBe('of the first');
    const other = open();
    expect(await other.namespace('rows', { version: 2 }).namespace('inside').peek('k')).toBeUndefined();
    expect(await open({ version: 2 }).namespace('rows', { version: 1 }).namespace('inside').peek('k')).toBe(
      'of the first',
    );
    await cache.set('k', 'of none');
    expect(await cache.peek('k')).toBe('of none');
  });

  it.each(endings)('are both reached by %s of one', async (_, end) => {
    for (const ender of [0, 1]) {
      const { clock, open } = shelves(form);
      const caches = [open({ version: 1 }), open({ version: 2 })];
      const [writer, reader] = ender === 0 ? caches : caches.toReversed();
      await reader?.get('k', () => 'old', { tags: ['t'] });
      expect(await reader?.get('k', never)).toBe('old');
      await inTime(clock, end(writer ?? never()));
      expect(await inTime(clock, reader?.get('k', () => 'new') ?? never())).toBe('new');
    }
  });

  it.each(endings)('have their loads in flight reached by %s of one', async (_, end) => {
    const { clock, open } = shelves(form);
    const [writer, reader] = [open({ version: 1 }), open({ version: 2 })];
    const slow = gate<string>();
    const load = reader.get('k', () => slow.passed, { tags: ['t'] });
    await clock.advance(0);
    await inTime(clock, end(writer));
    slow.open('old');
    expect(await load).toBe('old');
    expect(
      await inTime(
        clock,
        reader.get('k', () => 'new', { tags: ['t'] }),
      ),
    ).toBe('new');
    expect(await reader.get('k', never)).toBe('new');
  });

  it('hold each other off by mutate', async () => {
    const { clock, open } = shelves(form);
    const write = gate();
    const mutation = open({ version: 1 }).mutate(['k'], () => write.passed);
    await clock.advance(0);
    const reader = open({ version: 2 });
    expect((await reader.lookup('k', () => 'during')).status).toBe('bypass');
    write.open();
    await mutation;
    expect((await reader.lookup('k', () => 'after')).status).toBe('miss');
  });

  it('that read in turns load each time, and once each', async () => {
    const { clock, open } = shelves(form);
    const caches = [open({ version: 1 }), open({ version: 2 })];
    const loads = caches.map((_, index) => counting(`version ${index}`));
    for (let turn = 0; turn < 20; turn += 1) {
      const index = turn % 2;
      const read = caches[index]?.get('k', loads[index] ?? never) ?? never();
      expect(await inTime(clock, read)).toBe(`version ${index}`);
    }
    expect(loads.map(({ calls }) => calls)).toEqual([10, 10]);
  });

  it('that load at the same time take the lease from each other once a process, not for ever', async () => {
    const { clock, open } = shelves(form);
    const processes = Array.from({ length: 8 }, (_, index) => open({ version: index % 2 }));
    const slow = gate();
    let loads = 0;
    const read = (version: number) => {
      loads += 1;
      return slow.passed.then(() => `version ${version}`);
    };
    const reads = processes.flatMap((cache, index) =>
      Array.from({ length: 5 }, () => cache.get('k', () => read(index % 2))),
    );
    await clock.advance(2000);
    expect(loads).toBeLessThanOrEqual(processes.length);
    slow.open();
    const values = await inTime(clock, Promise.all(reads));
    expect(values).toEqual(processes.flatMap((_, index) => Array.from({ length: 5 }, () => `version ${index % 2}`)));
    expect(loads).toBeLessThanOrEqual(processes.length);
  });

  it('are a text or a number', async () => {
    const { cache, open } = shelves(form);
    for (const version of [null, true, {}, ['1']]) {
      // @ts-expect-error: no version
      expect(() => open({ version })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
      // @ts-expect-error: no version
      expect(() => cache.namespace('rows', { version })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    // @ts-expect-error: a version is not for one call
    expect(await codeOf(cache.get('k', never, { version: 1 }))).toBe('OPTION_INVALID');
  });
});
