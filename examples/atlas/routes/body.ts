/** Reads the body of a request that must be JSON. */

import type { Request } from 'express';
import { Problem } from '../problem.ts';

/** Returns what `express.json()` made of the body; `undefined` if there is none. */
export function jsonBody(request: Request): unknown {
  if (request.get('Content-Type') !== undefined && !request.is('json')) {
    throw new Problem(415, 'The body must be application/json.');
  }
  return request.body;
}
