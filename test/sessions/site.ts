/** A small site with sessions, for tests that speak HTTP. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import type { RequestListener } from 'node:http';

/** Serves `app` on a free port; `close` ends its connections too. */
export async function listen(app: RequestListener): Promise<{ readonly url: string; readonly close: () => void }> {
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
