/** Asks the handler for a whole answer, or whether an earlier one is still true, in place of what the client asked. */

import { conditionalFields } from '../../http/preconditions.ts';
import type { IncomingLike } from '../request.ts';
import type { StoredAnswer } from './stored.ts';

/**
 * Takes the client's own conditions off the request: an answer to them would be for nobody else. Where there is an earlier
 * answer, its validators take their place: RFC 9111 section 4.3.1. The returned function puts everything back.
 *
 * RFC 9110 section 15.4.5: a 304 means that there would be a 200. So of an earlier answer with another status nothing is asked.
 */
export function askAs({ headers }: IncomingLike, earlier: StoredAnswer | undefined): () => void {
  const before = conditionalFields.map((name) => [name, headers[name]] as const);
  for (const name of conditionalFields) delete headers[name];
  const confirmable = earlier?.status === 200 ? earlier : undefined;
  if (confirmable?.etagIsOrigins === true && confirmable.etag !== undefined) {
    headers['if-none-match'] = confirmable.etag;
  }
  if (confirmable?.lastModified !== undefined) headers['if-modified-since'] = confirmable.lastModified;
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
