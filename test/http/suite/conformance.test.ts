/** Plays the published suite against our own origin. */

import { afterAll, describe, expect, it } from 'vitest';
import { startOrigin } from './origin.ts';
import { createPlayer } from './play.ts';

describe('the published suite', () => {
  const player = createPlayer();
  afterAll(() => player.close());

  it('requires nothing that a server without a cache has', { timeout: 60_000 }, async () => {
    const origin = await startOrigin({ host: 'node:http', form: 'end' });
    const { required, optimal } = await player.play(origin.url);
    await origin.close();
    expect([required.passed, optimal.passed]).toEqual([[], []]);
  });
});
