/** The truth that the caches under test are measured against: one counter a key, asked over TCP by every process. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { randomDelay, seededRandom } from '../kit/random.ts';
import { deferred, sleep } from '../kit/wait.ts';

interface Question {
  readonly id: number;
  readonly verb: 'read' | 'write';
  readonly key: string;
}

export interface Origin {
  readonly port: number;
  /** How often `key`, or any key, was read. */
  reads(key?: string): number;
  /** Keeps the answer to the next read of `key` back until the returned function is called. */
  hold(key: string): () => void;
  stop(): Promise<void>;
}

export interface OriginOptions {
  readonly seed: number;
  /** @default 6 */
  readonly longestDelayMs?: number | undefined;
  /** Each read is answered by a replica that is behind the writes: half of them by so many ms, the others by less. @default 0 */
  readonly replicaLagMs?: number | undefined;
}

/**
 * Starts the origin in this process. A key's version is read, or raised by one, when the question arrives; the answer to a
 * read takes up to `longestDelayMs` more, so that a slow reader comes home with a version that is no longer true.
 */
export async function startOrigin({ seed, longestDelayMs = 6, replicaLagMs = 0 }: OriginOptions): Promise<Origin> {
  const rows = new Map<string, Row>();
  const reads = new Map<string, number>();
  const delayMs = randomDelay(seed, 0, longestDelayMs);
  const random = seededRandom(seed);
  const held = new Map<string, Promise<void>>();
  const sockets = new Set<Socket>();
  const rowOf = (key: string): Row => {
    const row = rows.get(key) ?? new Row();
    rows.set(key, row);
    return row;
  };
  const answer = async (socket: Socket, { id, verb, key }: Question) => {
    const row = rowOf(key);
    const version = verb === 'write' ? row.write() : row.read(Math.min(1, random() * 2) * replicaLagMs);
    if (verb === 'read') {
      reads.set(key, (reads.get(key) ?? 0) + 1);
      const released = held.get(key);
      held.delete(key);
      await (released ?? sleep(delayMs()));
    }
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
    hold(key) {
      const gate = deferred();
      held.set(key, gate.promise);
      return () => gate.resolve();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A version and when it changed, for the replicas that do not know it yet. */
class Row {
  /** Of each version from 2 on, the monotonic time in ms. */
  readonly #writtenAt: number[] = [];

  write(): number {
    this.#writtenAt.push(performance.now());
    return this.#writtenAt.length + 1;
  }

  read(lagMs: number): number {
    const until = performance.now() - lagMs;
    let version = this.#writtenAt.length + 1;
    while (version > 1 && (this.#writtenAt[version - 2] ?? 0) > until) version -= 1;
    return version;
  }
}

export interface OriginClient {
  read(key: string): Promise<number>;
  write(key: string): Promise<number>;
  close(): void;
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
  return { read: (key) => ask('read', key), write: (key) => ask('write', key), close: () => void socket.end() };
}
