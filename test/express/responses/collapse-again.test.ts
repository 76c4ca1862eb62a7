/** Shows that an answer that others could not have once is made for all of them again, once they can. */

import { expect, it } from 'vitest';
import { sleep } from '../../kit/wait.ts';
import { cachedSite } from './site.ts';

it('waits for one handler again after the answer was not for others', async () => {
  let calls = 0;
  let cacheControl = 'no-store';
  // The pause only lets the others arrive: what is counted does not depend on it.
  const site = await cachedSite(async (req, res) => {
    if (req.method !== 'GET') {
      res.end();
      return;
    }
    calls += 1;
    await sleep(50);
    res.setHeader('Cache-Control', cacheControl);
    res.end('answer');
  }, {});
  const ten = () => Promise.all(Array.from({ length: 10 }, () => site.ask('/a', {})));
  await ten();
  expect(calls).toBe(10);

  cacheControl = 'max-age=60';
  await site.ask('/a', {});
  await site.ask('/a', {}, { method: 'PUT' });
  calls = 0;
  await ten();
  expect(calls).toBe(1);
});
