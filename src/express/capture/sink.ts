/** Makes a response that has no client: it takes everything, keeps nothing, and judges calls as Node's own does. */

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingLike } from '../request.ts';

/** What Node's own code, and packages, use of a response beside its public side. */
interface Inner {
  outputSize: number;
  _closed: boolean;
  _writeRaw: (data: string | Uint8Array, encoding?: unknown, callback?: unknown) => boolean;
}

/**
 * Returns a response to `req` that discards what is written: every write succeeds, calls back, and never asks to wait.
 *
 * It emits `prefinish` and `finish` when it was ended, and `close` after that or after `destroy`, like one with a client.
 */
export function sink(req: IncomingLike): ServerResponse {
  // `ServerResponse` reads the method, the version and the `TE` field of the request, and keeps it as `res.req`.
  const res = new ServerResponse(req as IncomingMessage);
  // All functions go by `this`, for they may be moved to another response.
  Object.assign(res, { _writeRaw: writeRaw, destroy });
  res.on('finish', finished);
  return res;
}

function writeRaw(this: Inner, data: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
  const done = typeof encoding === 'function' ? encoding : callback;
  // Data counts as unsent until the call is over, so that `writableFinished` is true no sooner than on a socket.
  this.outputSize += data.length;
  process.nextTick(() => {
    this.outputSize -= data.length;
    if (typeof done === 'function') done();
  });
  return true;
}

function destroy(this: ServerResponse & Inner, error?: Error): ServerResponse {
  if (!this.destroyed) process.nextTick(closeSink, this);
  return ServerResponse.prototype.destroy.call(this, error);
}

function finished(this: ServerResponse & Inner): void {
  this.emit('prefinish');
  process.nextTick(closeSink, this);
}

/** Emits `close`, unless it did. */
export function closeSink(res: { emit(event: string): unknown; _closed?: boolean; destroyed?: boolean }): void {
  if (res._closed === true) return;
  res._closed = true;
  res.destroyed = true;
  res.emit('close');
}
