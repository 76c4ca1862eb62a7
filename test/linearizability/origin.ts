/** The truth that the caches under test are measured against: one counter a key, asked over TCP by every process. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { randomDelay } from '../kit/random.ts';
import { sleep } from '../kit/wait.ts';

interface Question {
  readonly id: number;
  readonly verb: 'read' | 'write';
  readonly key: string;
}

export interface Origin {
  readonly port: number;
  /** How often `key`, or any key, was read. */
  reads(key?: string): number;
  stop(): Promise<void>;
}

/**
 * Starts the origin in this process. A key's version is read, or raised by one, when the question arrives; the answer takes
 * up to `longestDelayMs` more, so that a slow reader comes home with a version that is no longer true.
 */
export async function startOrigin(seed: number, longestDelayMs = 6): Promise<Origin> {
  const versions = new Map<string, number>();
  const reads = new Map<string, number>();
  const delayMs = randomDelay(seed, 0, longestDelayMs);
  const sockets = new Set<Socket>();
  const answer = async (socket: Socket, { id, verb, key }: Question) => {
    const version = (versions.get(key) ?? 1) + (verb === 'write' ? 1 : 0);
    versions.set(key, version);
    if (verb === 'read') reads.set(key, (reads.get(key) ?? 0) + 1);
    await sleep(delayMs());
    socket.write(`${JSON.stringify({ id, version })}\n`);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    createInterface(socket)
      .on('line', (line) => void answer(socket, JSON.parse(line) as Question))
      // A player that is ended leaves its connection in the middle; the socket hears of it too.
      .on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    reads: (key) =>
      key === undefined ? [...reads.values()].reduce((sum, count) => sum + count, 0) : (reads.get(key) ?? 0),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface OriginClient {
  read(key: string): Promise<number>;
  write(key: string): Promise<number>;
}

/** Connects to the origin at `port`. */
export async function originClient(port: number): Promise<OriginClient> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const waiting = new Map<number, (version: number) => void>();
  let questions = 0;
  createInterface(socket).on('line', (line) => {
    const { id, version } = JSON.parse(line) as { id: number; version: number };
    waiting.get(id)?.(version);
    waiting.delete(id);
  });
  const ask = (verb: Question['verb'], key: string) =>
    new Promise<number>((resolve) => {
      questions += 1;
      waiting.set(questions, resolve);
      socket.write(`${JSON.stringify({ id: questions, verb, key } satisfies Question)}\n`);
    });
  return { read: (key) => ask('read', key), write: (key) => ask('write', key) };
}
