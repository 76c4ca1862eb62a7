/** The worker's side of `startWorker`: answers the test's calls. */

/** What a worker can be asked: one function a name, each with at most one argument that can be cloned. */
export type Handlers = Record<string, (input: never) => unknown>;

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: unknown };

/**
 * Answers calls with `handlers` until the test stops the worker or ends; calls run side by side.
 *
 * Returns its argument, so that the worker's file can export the type for the test:
 *
 * @example
 * const handlers = serve({ double: (n: number) => n * 2 });
 * export type Double = typeof handlers;
 */
export function serve<Own extends Handlers>(handlers: Own): Own {
  const send = (message: WorkerMessage): void => {
    if (process.connected) process.send?.(message);
  };
  const answer = async ({ id, name, input }: Call): Promise<void> => {
    try {
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
      if (!handler) throw new Error(`The worker has no handler named ${name}`);
      send({ kind: 'reply', id, value: await handler(input as never) });
    } catch (error) {
      send({ kind: 'failure', id, error: cloneable(error) });
    }
  };
  process.on('message', (message) => void answer(message as Call));
  // A worker whose test is gone must not stay behind.
  process.on('disconnect', () => process.exit());
  send({ kind: 'ready' });
  return handlers;
}

/** An error without what cannot travel, but with its `code`. */
function cloneable(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack } = error;
  return { name, message, stack, ...('code' in error && { code: String(error.code) }) };
}
