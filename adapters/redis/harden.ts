/** Keeps a reply that nobody asked for from ending the process: it ends the connection instead. */

import { commandClass, type CommandQueue, type Connection } from './client.ts';

type Patched = Record<'flushQueue' | 'resetCommandQueue', ((...args: unknown[]) => unknown) | undefined> & {
  commandQueue?: CommandQueue;
};

/**
 * ioredis 5.11 and 6.0 throw where nobody can catch it when a null reply comes while no command waits. Here such a reply
 * meets a command that calls `onStray`. Returns a function that takes everything back.
 */
export function hardenClient(client: Connection, onStray: () => void): () => void {
  const patched = client as unknown as Patched;
  const { flushQueue, resetCommandQueue } = patched;
  if (typeof flushQueue !== 'function' || typeof resetCommandQueue !== 'function') return () => {};
  let flushing = false;

  const stray = new (commandClass(client))('ping', []);
  stray.promise.catch(() => {});
  stray.resolve = onStray;
  stray.reject = onStray;
  const item = { command: stray, select: 0 };

  const arm = (queue: CommandQueue | undefined) => {
    if (queue === undefined) return;
    const shift = queue.shift.bind(queue);
    // ioredis empties a queue by shifting until nothing comes: then there must be nothing.
    queue.shift = () => shift() ?? (flushing ? undefined : item);
  };
  patched.resetCommandQueue = () => {
    resetCommandQueue.call(client);
    arm(client.commandQueue);
  };
  patched.flushQueue = (...args) => {
    flushing = true;
    try {
      flushQueue.apply(client, args);
    } finally {
      flushing = false;
    }
  };
  arm(client.commandQueue);

  return () => {
    // The methods of the class show through again.
    for (const name of ['flushQueue', 'resetCommandQueue']) Reflect.deleteProperty(client, name);
    Reflect.deleteProperty(client.commandQueue, 'shift');
  };
}
