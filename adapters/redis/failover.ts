/** Goes on where ioredis ends for good: a failover is announced while it is asking the Sentinels for the master. */

import type { Clock, Timer } from '../../src/support/clock.ts';
import { backoffMs } from '../../src/support/reconnecting.ts';
import type { Connection, Listener } from './client.ts';

/** What ioredis says then; it does not say it of a client that its user has closed. */
const brokenOff = 'Connection is closed.';

/**
 * The detector of failovers that belongs to the connection before breaks the attempt off, in 5.11 and 6.0, and nothing begins
 * another. Returns a function that ends the care.
 */
export function outliveFailovers(client: Connection, clock: Clock): () => void {
  if (!Array.isArray(client.options['sentinels'])) return () => {};
  let wasBrokenOff = false;
  let timer: Timer | undefined;
  const listeners: Record<string, Listener> = {
    connecting: () => (wasBrokenOff = false),
    error: (error) => {
      wasBrokenOff = client.status === 'connecting' && error instanceof Error && error.message === brokenOff;
    },
    end: () => {
      if (!wasBrokenOff) return;
      timer = clock.after(backoffMs(1, clock), () => {
        // Its user may have begun again, or closed it, by then.
        if (client.status === 'end') client.connect().catch(() => {});
      });
    },
  };
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
  return () => {
    timer?.cancel();
    for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
  };
}
