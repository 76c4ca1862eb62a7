/** One process of a fleet: a site behind the cache, whose handler takes as long as it is told. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { connect, createCache } from 'hotshelf';
import { cacheResponses } from 'hotshelf/express';
import { serve } from '../../kit/serve.ts';
import { sleep } from '../../kit/wait.ts';

let runs = 0;
let takesMs = 0;

const handlers = serve({
  async open({ url, wait }: { url: string; wait: number }) {
    const cache = createCache({ backend: await connect(url) });
    const app = express();
    app.get('/:page', cacheResponses({ cache, ttl: '1m', wait }), async (req, res) => {
      runs += 1;
      const run = runs;
      await sleep(takesMs);
      res.json({ page: req.params.page, pid: process.pid, run, text: 'x'.repeat(1000) });
    });
    const server = createServer(app);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  take(ms: number) {
    takesMs = ms;
  },
  runs: () => runs,
});

export type SiteProcess = typeof handlers;
