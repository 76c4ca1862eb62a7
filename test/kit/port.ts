/** Finds a loopback port that nobody listens on. */
import { createServer } from 'node:net';

export const host = '127.0.0.1';
const given = new Set<number>();

/**
 * Returns a free port between 10,000 and 32,000: below the range from which the system takes the ports of outgoing
 * connections, so that a server that was ended can come back on the same port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`Found no free port on ${host} between 10000 and 32000`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
