/** Warns whoever keeps leaderboards in a store that may drop them. */

import type { Backend } from '../backend/backend.ts';
import type { Rankings } from '../backend/rankings.ts';

/** Which backends were asked: one warning is enough for all boards. */
const asked = new WeakSet<Backend>();

/** Asks the backend, once, whether it might drop boards before their time. */
export function warnIfEndangered(backend: Backend, rankings: Rankings): void {
  if (asked.has(backend) || rankings.endangered === undefined) return;
  asked.add(backend);
  rankings.endangered().then(
    (reason) => {
      if (reason === undefined) return;
      process.emitWarning(`Leaderboards may be lost: ${reason}`, { code: 'HOTSHELF_BOARDS_ENDANGERED' });
    },
    () => {},
  );
}
