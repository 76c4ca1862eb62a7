/** One connection through the proxy: two sockets and what happens to the bytes between them. */
import type { Socket } from 'node:net';
import { sleep } from './wait.ts';

/** What will happen to the next reply, on whichever connection it comes. */
type Fault =
  | { readonly kind: 'truncate'; left: number; readonly after: 'close' | 'stall' }
  | { readonly kind: 'corrupt'; readonly change: (reply: Buffer) => Buffer };

/** What the connections of one proxy share. */
export interface ProxyState {
  delay: (() => number) | undefined;
  fault: Fault | undefined;
  isBlackhole: boolean;
  connections: number;
  bytesToTarget: number;
  bytesToClient: number;
  swallowed: number;
}

export interface Link {
  /** Swallows everything from now on, for ever, with both sockets open. */
  kill(): void;
  close(how: 'end' | 'reset'): void;
}

/** `upstream` is undefined for a connection that came in while the proxy was a black hole. */
export function createLink(client: Socket, upstream: Socket | undefined, state: ProxyState, onClose: () => void): Link {
  let isDead = upstream === undefined;
  let isClosed = false;
  const close = (how: 'end' | 'reset'): void => {
    if (isClosed) return;
    isClosed = true;
    isDead = true;
    for (const socket of [client, upstream]) {
      if (how === 'reset') socket?.resetAndDestroy();
      else socket?.destroy();
    }
    onClose();
  };
  const kill = (): void => {
    isDead = true;
    // Read on, so that the senders' buffers do not fill up: the network took their bytes.
    client.resume();
    upstream?.resume();
  };

  const toTarget = (chunk: Buffer): void => {
    state.bytesToTarget += chunk.length;
    upstream?.write(chunk);
  };
  const toClient = (chunk: Buffer): void => {
    state.bytesToClient += chunk.length;
    client.write(chunk);
  };
  const reply = (chunk: Buffer): void => {
    const { fault } = state;
    if (fault?.kind === 'corrupt') {
      state.fault = undefined;
      return toClient(fault.change(chunk));
    }
    if (fault?.kind !== 'truncate') return toClient(chunk);
    toClient(chunk.subarray(0, fault.left));
    state.swallowed += Math.max(0, chunk.length - fault.left);
    fault.left -= chunk.length;
    if (fault.left > 0) return undefined;
    state.fault = undefined;
    kill();
    // Behind the bytes that were let through, then everything closes.
    if (fault.after === 'close') client.end(() => close('end'));
    return undefined;
  };

  const pump = (source: Socket, sink: Socket | undefined, forward: (chunk: Buffer) => void): void => {
    let last: Promise<void> | undefined;
    /** Runs `step` after the delay, and never before an earlier step: bytes keep their order. */
    const enqueue = (step: () => void): void => {
      const ms = state.delay?.() ?? 0;
      if (last === undefined && ms <= 0) return step();
      const travelled = ms > 0 ? sleep(ms) : undefined;
      const mine: Promise<void> = Promise.all([last, travelled]).then(() => {
        if (last === mine) last = undefined;
        step();
      });
      last = mine;
      return undefined;
    };
    source.on('data', (chunk: Buffer) => {
      if (!isDead) {
        enqueue(() => {
          if (isDead) state.swallowed += chunk.length;
          else forward(chunk);
        });
        if (sink?.writableNeedDrain) source.pause();
      } else {
        state.swallowed += chunk.length;
      }
    });
    sink?.on('drain', () => source.resume());
    source.on('end', () => {
      if (!isDead) enqueue(() => void (!isDead && sink?.end()));
    });
    source.on('error', () => {
      if (!isDead) close('reset');
    });
    source.on('close', () => {
      // Of a black-holed connection nobody hears. One that ended in order is passed on by its `end`, after the delay.
      if (isDead || isClosed) return;
      if (!source.readableEnded || sink?.destroyed !== false) close('end');
    });
  };
  pump(client, upstream, toTarget);
  if (upstream) pump(upstream, client, reply);
  return { kill, close };
}
