/** Two processes over one server: an answer is made once, and nobody hangs on a process that died or hangs. */

import { describe, expect, it, onTestFinished } from 'vitest';
import { startMemcached, startRedis } from '../../kit/servers.ts';
import { until } from '../../kit/wait.ts';
import { startWorker, type Worker } from '../../kit/workers.ts';
import { ask } from './site.ts';
import type { SiteProcess } from './site.worker.ts';

interface Instance {
  readonly worker: Worker<SiteProcess>;
  readonly port: number;
}

const worker = new URL('./site.worker.ts', import.meta.url);

async function hire(url: string, wait: number): Promise<Instance> {
  const started = await startWorker<SiteProcess>(worker);
  onTestFinished(() => started.stop());
  return { worker: started, port: await started.call('open', { url, wait }) };
}

describe.each([
  ['Redis', startRedis],
  ['Memcached', startMemcached],
] as const)('over %s', (_, startServer) => {
  async function startFleet(wait = 10_000): Promise<readonly [Instance, Instance]> {
    const server = await startServer();
    onTestFinished(() => server.stop());
    return Promise.all([hire(server.url, wait), hire(server.url, wait)]);
  }

  it('the handler runs once for 100 requests to both at the same time', async () => {
    const fleet = await startFleet();
    for (const { worker: each } of fleet) await each.call('take', 300);
    const requests = Array.from({ length: 100 }, (__, index) => ask(fleet[index % 2] ?? fleet[0], '/page'));
    const answers = await Promise.all(requests);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const runs = await Promise.all(fleet.map((each) => each.worker.call('runs')));
    expect(runs[0]! + runs[1]!).toBe(1);
    expect(answers.filter(({ cached }) => cached === 'fwd=miss; stored')).toHaveLength(1);
  });

  it('the other process makes the answer when the first is killed while it makes it', async () => {
    const [first, second] = await startFleet();
    await first.worker.call('take', 60_000);
    const lost = ask(first, '/page').catch((error: unknown) => error);
    await until(async () => (await first.worker.call('runs')) === 1, { what: 'the first process to begin' });
    const startedAt = performance.now();
    const waiting = [ask(second, '/page'), ask(second, '/page')];
    await first.worker.kill();
    expect(await lost).toBeInstanceOf(Error);
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(await second.worker.call('runs')).toBe(1);
    await until(async () => (await ask(second, '/page')).cached.startsWith('hit'), { what: 'the answer to be kept' });
  });

  it('a handler that hangs holds up the other process for its wait, and no longer', async () => {
    const [first, second] = await startFleet(1000);
    await first.worker.call('take', 6000);
    const slow = ask(first, '/page');
    await until(async () => (await first.worker.call('runs')) === 1, { what: 'the first process to begin' });
    const startedAt = performance.now();
    const answer = await ask(second, '/page');
    const tookMs = performance.now() - startedAt;
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ pid: second.worker.pid });
    expect([tookMs > 900, tookMs < 4000]).toEqual([true, true]);
    expect((await slow).status).toBe(200);
  });
});
