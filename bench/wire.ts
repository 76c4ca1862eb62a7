/** Counts what a client asks of Redis: commands, and round trips on the wire. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { RedisServer } from '../test/kit/servers.ts';
import { sleep } from '../test/kit/wait.ts';

export interface Counted {
  readonly commands: number;
  readonly trips: number;
}

export interface CountingWire {
  readonly port: number;
  /** Does something, and tells what it took; nothing else may use the server meanwhile. */
  count(operation: () => Promise<unknown>): Promise<Counted>;
  close(): void;
}

/** Puts a wire in front of a server: with one operation at a time, each sending is one round trip. */
export async function countingWire(target: RedisServer): Promise<CountingWire> {
  let sendings = 0;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    client.on('data', (data) => {
      sendings += 1;
      upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async count(operation) {
      await sleep(50);
      const before = { commands: await commands(target), sendings };
      await operation();
      await sleep(50);
      // One of the commands is the INFO that counts.
      return { commands: (await commands(target)) - before.commands - 1, trips: sendings - before.sendings };
    },
    close: () => server.close(),
  };
}

/** How many commands the server has run, with those inside scripts. */
async function commands(server: RedisServer): Promise<number> {
  const text = String(await server.cli('INFO', 'stats'));
  return Number(/total_commands_processed:(\d+)/.exec(text)?.[1]);
}
