/** Asks the handler for a whole answer, or whether an earlier one is still true, in place of what the client asked. */

import { conditionalFields } from '../http/preconditions.ts';
import type { IncomingLike } from './request.ts';
import type { StoredAnswer } from './stored.ts';

/**
 * Takes the client's own conditions off the request: an answer to them would be for nobody else. Where there is an earlier
 * answer, its validators take their place: RFC 9111 section 4.3.1. The returned function puts everything back.
 */
export function askAs({ headers }: IncomingLike, earlier: StoredAnswer | undefined): () => void {
  const before = conditionalFields.map((name) => [name, headers[name]] as const);
  for (const name of conditionalFields) delete headers[name];
  if (earlier?.etagIsOrigins === true && earlier.etag !== undefined) headers['if-none-match'] = earlier.etag;
  if (earlier?.lastModified !== undefined) headers['if-modified-since'] = earlier.lastModified;
  let done = false;
  return () => {
    if (done) return;
    done = true;
    for (const [name, value] of before) {
      if (value === undefined) delete headers[name];
      else headers[name] = value;
    }
  };
}
