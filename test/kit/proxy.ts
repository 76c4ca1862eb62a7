/** A TCP proxy between a client and a server that breaks the network on command. */
import { type Server, type Socket, connect, createServer } from 'node:net';
import { type Link, type ProxyState, createLink } from './link.ts';
import { freePort, host } from './port.ts';
import { randomDelay } from './random.ts';

export interface ProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Ms that each chunk of bytes travels, asked once a chunk and direction. @default no delay */
  readonly delay?: () => number;
  /** Delays of 0 to 6 ms from this seed, instead of `delay`. */
  readonly seed?: number;
}

/** What passed so far. Bytes count when they are forwarded, `swallowed` ones when they are not. */
export interface ProxyCounters {
  readonly connections: number;
  readonly open: number;
  readonly bytesToTarget: number;
  readonly bytesToClient: number;
  readonly swallowed: number;
}

export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** May be replaced at any time; undefined is no delay. Bytes never overtake each other. */
  delay: (() => number) | undefined;
  /** Address with another scheme and optional credentials: `proxy.url('redis')`, `proxy.url('redis', ':secret')`. */
  url(scheme: string, credentials?: string): string;
  counters(): ProxyCounters;
  /** Half-open: all connections stay open, and new ones are accepted, but bytes and endings are swallowed both ways. */
  blackhole(): void;
  /** Closes all connections: in order (`end`) or with a reset. New ones work. */
  cut(how?: 'end' | 'reset'): void;
  /** New connections get ECONNREFUSED; those that are open go on. */
  refuse(): void;
  /** New connections work again; those that were black-holed stay dead. Resolves when the port listens. */
  heal(): Promise<void>;
  /** Lets only `bytes` of the target's next reply through, then closes the connection or keeps it and goes silent. */
  truncateNextReply(bytes: number, after?: 'close' | 'stall'): void;
  /** Changes the next chunk that the target sends. */
  corruptNextReply(change: (reply: Buffer) => Buffer): void;
  stop(): Promise<void>;
}

export async function startProxy({ target, delay, seed }: ProxyOptions): Promise<Proxy> {
  const state: ProxyState = {
    delay: delay ?? (seed === undefined ? undefined : randomDelay(seed)),
    fault: undefined,
    isBlackhole: false,
    connections: 0,
    bytesToTarget: 0,
    bytesToClient: 0,
    swallowed: 0,
  };
  const links = new Set<Link>();
  const accept = (client: Socket): void => {
    state.connections++;
    // A black hole does not reach the target at all.
    const upstream = state.isBlackhole ? undefined : connect({ ...target, allowHalfOpen: true });
    const link = createLink(client, upstream, state, () => links.delete(link));
    links.add(link);
  };
  const first = await listenSomewhere(accept);
  const { port } = first;
  let server: Server | undefined = first.server;
  const refuse = (): void => {
    server?.close();
    server = undefined;
  };

  return {
    host,
    port,
    get delay() {
      return state.delay;
    },
    set delay(next) {
      state.delay = next;
    },
    url: (scheme, credentials) => `${scheme}://${credentials === undefined ? '' : `${credentials}@`}${host}:${port}`,
    counters() {
      const { connections, bytesToTarget, bytesToClient, swallowed } = state;
      return { connections, open: links.size, bytesToTarget, bytesToClient, swallowed };
    },
    blackhole() {
      state.isBlackhole = true;
      for (const link of links) link.kill();
    },
    cut(how = 'end') {
      for (const link of links) link.close(how);
    },
    refuse,
    async heal() {
      state.isBlackhole = false;
      server ??= await listen(port, accept);
    },
    truncateNextReply(bytes, after = 'close') {
      state.fault = { kind: 'truncate', left: bytes, after };
    },
    corruptNextReply(change) {
      state.fault = { kind: 'corrupt', change };
    },
    async stop() {
      refuse();
      for (const link of links) link.close('end');
    },
  };
}

/** Tries again when another process took the port since it was found free. */
async function listenSomewhere(accept: (client: Socket) => void): Promise<{ port: number; server: Server }> {
  for (let attempt = 0; ; attempt++) {
    const port = await freePort();
    try {
      return { port, server: await listen(port, accept) };
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
