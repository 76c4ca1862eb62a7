/** Starts instances of the site, each in a process of its own, and ends them with the test. */

import { onTestFinished } from 'vitest';
import { startWorker } from '../kit/workers.ts';
import type { Instance } from './plays.ts';
import type { Opening, SiteHandlers } from './site.worker.ts';

const file = new URL('./site.worker.ts', import.meta.url);

export async function startInstance(opening: Opening): Promise<Instance> {
  const worker = await startWorker<SiteHandlers>(file);
  return { worker, url: await worker.call('open', opening) };
}

/** An instance that ends with the test that runs. */
export async function instanceOf(opening: Opening): Promise<Instance> {
  const instance = await startInstance(opening);
  onTestFinished(() => instance.worker.stop());
  return instance;
}
