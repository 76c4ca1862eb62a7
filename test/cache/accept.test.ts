/** Shows what readers may say of an entry that is found, in place of its age. */

import { describe, expect, it } from 'vitest';
import type { Acceptance, Lookup } from 'hotshelf';
import { forms, never, shelves } from './forms.ts';

const lasting = { ttl: '10s', grace: '1m' } as const;
const say = (acceptance: Acceptance) => ({ ...lasting, accept: () => acceptance });
const down = () => Promise.reject<string>(new Error('the origin is down'));

describe.each(forms)('what a reader accepts, %s', (form) => {
  it('is asked of fresh and of stale entries, with their value and their times', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    const seen: Lookup<string>[] = [];
    const accept = (found: Lookup<string>): Acceptance => {
      seen.push(found);
      return 'serve';
    };
    await clock.advance(4000);
    await cache.get<string>('k', never, { ...lasting, accept });
    await clock.advance(7000);
    expect(await cache.lookup<string>('k', never, { ...lasting, accept })).toMatchObject({
      value: 'old',
      ttlMs: -1000,
    });
    expect(seen).toMatchObject([
      { value: 'old', status: 'hit', ageMs: 4000, ttlMs: 6000 },
      { value: 'old', status: 'stale', ageMs: 11_000, ttlMs: -1000 },
    ]);
  });

  it('load: a fresh entry is loaded again, the loader sees it, and it helps if that fails', async () => {
    const { cache } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    expect(await cache.lookup('k', down, say('load'))).toMatchObject({ value: 'old', reason: 'load failed' });
    await cache.get('other', () => 'old', lasting);
    const load = ({ stale }: { stale: { value: string } | undefined }) => `new after ${stale?.value}`;
    expect(await cache.get<string>('other', load, say('load'))).toBe('new after old');
    expect(await cache.get<string>('other', never, lasting)).toBe('new after old');
  });

  it('replace: nothing helps', async () => {
    const { cache } = shelves(form);
    await cache.get('k', () => 'old', lasting);
    await expect(cache.get('k', down, say('replace'))).rejects.toThrow('the origin is down');
    expect(await cache.get('k', never, lasting)).toBe('old');
  });

  it('refresh: the entry is the answer, fresh or stale, and is loaded again behind', async () => {
    const { cache, clock } = shelves(form);
    await cache.get('k', () => 'first', lasting);
    expect(await cache.get('k', () => 'second', say('refresh'))).toBe('first');
    await clock.advance(10_050);
    expect(await cache.lookup('k', () => 'third', say('refresh'))).toMatchObject({ value: 'second', status: 'stale' });
    await clock.advance(1);
    expect(await cache.lookup('k', never, say('serve'))).toMatchObject({ value: 'third', status: 'hit' });
  });

  it('is not asked where a copy that is kept would answer at once, and so nothing answers before it', async () => {
    const { cache } = shelves(form);
    for (let round = 0; round < 3; round += 1) await cache.get('k', () => 'old', lasting);
    expect(await cache.get('k', () => 'new', say('replace'))).toBe('new');
    expect(await cache.getMany('m', [1], () => ['old'], lasting)).toEqual(['old']);
    expect(await cache.getMany('m', [1], () => ['new'], say('replace'))).toEqual(['new']);
    const wrapped = cache.wrap('w', () => Promise.resolve(cache.stats().loads), say('replace'));
    expect(await wrapped()).not.toBe(await wrapped());
  });

  it('is refused unless it is a function', async () => {
    const { cache } = shelves(form);
    // @ts-expect-error: for JavaScript users
    await expect(cache.get('k', never, { accept: 'serve' })).rejects.toThrow('Expected `accept` to be a function');
  });
});
