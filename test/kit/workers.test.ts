/** Shows that a worker answers, that its death is explained, and that nothing of it stays behind. */
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EchoHandlers } from './echo.worker.ts';
import { host } from './port.ts';
import { until } from './wait.ts';
import { type Worker, startWorker } from './workers.ts';

const file = new URL('./echo.worker.ts', import.meta.url);
let worker: Worker<EchoHandlers>;

beforeEach(async () => {
  worker = await startWorker<EchoHandlers>(file, { env: { HOTSHELF_WORD: 'plate' } });
});

afterEach(async () => {
  await worker.stop();
});

describe('startWorker', () => {
  it('runs handlers side by side in another process', async () => {
    const never = worker.call('never');
    expect(await Promise.all([worker.call('double', 1), worker.call('double', 2)])).toEqual([2, 4]);
    expect(await worker.call('variable', 'HOTSHELF_WORD')).toBe('plate');
    await worker.stop();
    await expect(never).rejects.toThrow('exited with code 0');
  });

  it('carries bytes, maps, big integers and what JSON lacks', async () => {
    const value = { bytes: new Uint8Array([1, 2]), map: new Map([['a', 1n]]), odd: [Number.NaN, undefined] };
    expect(await worker.call('echo', value)).toEqual(value);
  });

  it('rejects with the error of the handler', async () => {
    await expect(worker.call('fail', 'TOO_FAR')).rejects.toMatchObject({
      name: 'RangeError',
      message: 'out of range',
      code: 'TOO_FAR',
    });
  });

  it('shows what the worker printed when it dies in a call', async () => {
    await expect(worker.call('crash')).rejects.toThrow(/exited with code 3[^]*the last words/);
    await expect(worker.call('double', 1)).rejects.toThrow('exited with code 3');
  });

  it('shows what the worker printed when it cannot start', async () => {
    const starting = startWorker(new URL('./no-such.worker.ts', import.meta.url));
    await expect(starting).rejects.toThrow(/exited with code 1[^]*no-such\.worker\.ts/);
  });

  it('stands still while it is paused', async () => {
    await worker.pause();
    let isAnswered = false;
    const answer = worker.call('double', 4).finally(() => (isAnswered = true));
    // A round trip through another worker takes longer than this one would.
    const other = await startWorker<EchoHandlers>(file);
    await other.stop();
    expect(isAnswered).toBe(false);
    worker.resume();
    expect(await answer).toBe(8);
  });

  it('stops a worker that is paused', async () => {
    await worker.pause();
    await worker.stop();
    expect(await worker.ended).toBe('exited with code 0');
  });
});

describe('a server that a test left behind', () => {
  it('ends when the test process exits, even stopped by SIGSTOP', async () => {
    const { port } = await worker.call('leaveServer');
    await worker.stop();
    expect(await until(async () => !(await isListening(port)), { what: 'the server to be gone' })).toBe(true);
  });

  it.runIf(process.platform === 'linux')('ends when the test process is killed', async () => {
    const { port } = await worker.call('leaveServer');
    await worker.kill();
    expect(await until(async () => !(await isListening(port)), { what: 'the server to be gone' })).toBe(true);
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
