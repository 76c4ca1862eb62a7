/** The atlas as a process of its own, started as `npm start` does. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, launch } from '../kit/child.ts';
import { removeFolder, temporaryFolder } from '../kit/folder.ts';
import { freePort } from '../kit/port.ts';
import { until } from '../kit/wait.ts';

export interface AtlasProcess extends Child {
  readonly url: string;
  get(path: string): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
  change(id: number, values: object): Promise<number>;
  /** Asks until `count` instances have answered. */
  untilInstancesAnswer(count: number): Promise<void>;
  remove(): Promise<void>;
}

export interface AtlasOptions {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly port?: number;
}

const main = fileURLToPath(new URL('../../examples/atlas/main.ts', import.meta.url));

export async function startAtlas({ args = [], env = {}, port }: AtlasOptions = {}): Promise<AtlasProcess> {
  const folder = await temporaryFolder('atlas');
  const at = port ?? (await freePort());
  const child = launch({
    command: process.execPath,
    args: ['--conditions=hotshelf:source', '--import', 'tsx', main, ...args],
    logFile: join(folder, 'log'),
    env: { HOTSHELF_URL: '', DATABASE_URL: '', SESSION_SECRET: '', ...env, PORT: env['PORT'] ?? String(at) },
  });
  const url = `http://127.0.0.1:${at}`;
  const get: AtlasProcess['get'] = async (path) => {
    const response = await fetch(url + path);
    const { status, headers } = response;
    return { status, headers, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    ...child,
    url,
    get,
    async change(id, values) {
      const headers = { 'Content-Type': 'application/json' };
      const response = await fetch(`${url}/cities/${id}`, { method: 'PATCH', headers, body: JSON.stringify(values) });
      return response.status;
    },
    async untilInstancesAnswer(count) {
      const answered = new Set<string | null>();
      const all = async (): Promise<boolean> => {
        if (child.howItEnded() !== undefined) throw new Error(`The atlas ${child.howItEnded()}:\n${child.logTail()}`);
        const { status, headers } = await get('/healthz');
        if (status === 200) answered.add(headers.get('X-Instance'));
        return answered.size >= count;
      };
      await until(all, { what: `${count} instances to answer`, within: 180_000 });
    },
    async remove() {
      await child.end();
      await removeFolder(folder);
    },
  };
}

/** The process ids of its instances. */
export async function workersOf(atlas: AtlasProcess): Promise<number[]> {
  const text = await readFile(`/proc/${atlas.pid}/task/${atlas.pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
