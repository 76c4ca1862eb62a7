/** Shows that what a loader is told, and what it may say, works however the loader takes hold of it. */

import { expect, it } from 'vitest';
import { type LoadContext } from 'hotshelf';
import { never, shelves } from './forms.ts';

it('the functions of a context can be taken out of it', async () => {
  const { cache, clock } = shelves();
  await cache.get('k', ({ ttl, grace, tag, etag }) => {
    ttl('10s');
    grace('1m');
    tag('all');
    etag('a');
    return 1;
  });
  expect((await cache.lookup('k', never)).ttlMs).toBe(10_000);

  await clock.advance(15_000);
  const renewed = await cache.lookup('k', ({ stale, unchanged }: LoadContext<number>) => {
    expect(stale).toEqual({ value: 1, etag: 'a', ageMs: 15_000 });
    return unchanged();
  });
  expect(renewed).toMatchObject({ value: 1, status: 'miss', stored: true });

  await clock.advance(0);
  await cache.invalidateTags(['all']);
  expect(await cache.lookup('k', ({ skip }) => skip(2))).toMatchObject({ value: 2, stored: false });
  expect(await cache.peek('k')).toBeUndefined();
});
