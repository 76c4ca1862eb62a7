/** Hears everything that a handler answers, whichever way it writes, and lets the caller decide what becomes of it. */

import type { Capture, CaptureOptions, Ear } from './ear.ts';
import { Listening } from './listening.ts';
import type { IncomingLike, ResponseLike } from '../request.ts';

export type { Answered } from './answered.ts';
export type { Capture, CaptureOptions, Course, Ear, LossReason } from './ear.ts';
export type { Real } from './former.ts';

/**
 * Listens to what is answered on `res` from now on, and tells `ear`.
 *
 * All ways to answer are heard: `setHeader`, `writeHead` in its forms, `write`, `end`, `flushHeaders`, pipes, and what
 * Express makes of them. In the courses `pass` and `copy` the client gets, byte for byte, what it would have got without.
 *
 * @example
 * const heard = capture(req, res, { head: () => 'copy', end: (body) => keep(body), lost: () => undefined }, { maxBodyBytes });
 */
export function capture(req: IncomingLike, res: ResponseLike, ear: Ear, options: CaptureOptions): Capture {
  return new Listening(req, res, ear, options);
}
