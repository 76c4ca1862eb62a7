/** Plays the published suite against our middleware, and without it. */

import { afterAll, describe, expect, it } from 'vitest';
import { createPlayer, tests } from './play.ts';
import { startOrigin } from './origin.ts';

const player = createPlayer();
afterAll(() => player.close());

describe('the published suite', () => {
  it('fails broadly without a cache', { timeout: 60_000 }, async () => {
    const origin = await startOrigin({ host: 'node:http', form: 'end' });
    const results = await player.play(origin.url);
    await origin.close();
    console.log(tests.length, results.required.passed.length, JSON.stringify(results, null, 1));
  });
});
