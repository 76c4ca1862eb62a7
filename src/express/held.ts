/** Holds an answer back until something else is done: nobody hears that a change was made before it shows everywhere. */

import { type Answered, capture, type Capture } from './capture.ts';
import type { IncomingLike, Next, ResponseLike } from './request.ts';

/** A larger answer begins without waiting. */
const mostBytes = 16_777_216;

/**
 * Goes on to the handler. As soon as its answer has a status, `before` begins with it; the answer itself begins when that is done.
 * `before` returns `undefined` where there is nothing to wait for, and must not reject.
 */
export function holdBack(
  req: IncomingLike,
  res: ResponseLike,
  next: Next,
  before: (answered: Answered) => Promise<void> | undefined,
): void {
  let answered: Answered | undefined;
  let done: Promise<void> | undefined;
  const captured: Capture = capture(
    req,
    res,
    {
      head(head) {
        answered = head;
        done = before(head);
        return done === undefined ? 'pass' : 'hold';
      },
      end(body) {
        void done?.then(() => {
          if (answered !== undefined) send(captured, answered, body);
        });
      },
      lost() {},
    },
    { maxBodyBytes: mostBytes },
  );
  next();
}

function send(captured: Capture, { status, statusText, lines }: Answered, body: Buffer): void {
  const { real } = captured;
  captured.reset();
  for (const [name, value] of lines) real.setHeader(name, typeof value === 'string' ? value : [...value]);
  if (statusText === undefined) real.writeHead(status);
  else real.writeHead(status, statusText);
  real.end(body);
}
