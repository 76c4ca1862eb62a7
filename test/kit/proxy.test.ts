/** Shows each way in which the proxy breaks a connection, as a plain TCP client sees it. */
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Proxy, startProxy } from './proxy.ts';
import { until } from './wait.ts';

/** A client that keeps what it received and how its connection ended. */
interface Client {
  readonly socket: Socket;
  received: string;
  ending: string | undefined;
}

let target: Server;
let accepted: Socket[];
let proxy: Proxy;
let clients: Client[];

beforeEach(async () => {
  accepted = [];
  clients = [];
  // Answers every byte with the same byte.
  target = createServer({ noDelay: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  proxy = await startProxy({ target: { host: '127.0.0.1', port: (target.address() as AddressInfo).port } });
});

afterEach(async () => {
  await proxy.stop();
  for (const socket of [...accepted, ...clients.map((client) => client.socket)]) socket.destroy();
  target.close();
});

async function open(): Promise<Client> {
  const socket = connect({ port: proxy.port, host: proxy.host, noDelay: true });
  const client: Client = { socket, received: '', ending: undefined };
  clients.push(client);
  socket.on('data', (chunk) => (client.received += chunk.toString()));
  socket.on('end', () => (client.ending ??= 'end'));
  socket.on('error', (error) => (client.ending = 'code' in error ? String(error.code) : error.message));
  await Promise.race([once(socket, 'connect'), once(socket, 'close').catch(() => undefined)]).catch(() => undefined);
  return client;
}

async function echo(client: Client, text: string): Promise<void> {
  const before = client.received;
  client.socket.write(text);
  await until(() => client.received === before + text, { what: `the echo of ${text}`, within: 3000, every: 1 });
}

describe('startProxy', () => {
  it('forwards bytes both ways and counts them', async () => {
    const client = await open();
    await echo(client, 'hello');
    expect(proxy.counters()).toEqual({ connections: 1, open: 1, bytesToTarget: 5, bytesToClient: 5, swallowed: 0 });
    expect(proxy.url('redis', ':pw')).toBe(`redis://:pw@127.0.0.1:${proxy.port}`);
  });

  it('passes the end of a connection on, behind the last delayed byte', async () => {
    proxy.delay = () => 15;
    const client = await open();
    client.socket.end('bye');
    await until(() => client.ending, { what: 'the end' });
    expect(client).toMatchObject({ received: 'bye', ending: 'end' });
    await until(() => proxy.counters().open === 0, { what: 'the connection to be forgotten' });
  });

  it('keeps the order of bytes under random delays', async () => {
    let turn = 0;
    proxy.delay = () => [6, 0, 3, 1][turn++ % 4] ?? 0;
    const client = await open();
    const words = Array.from({ length: 40 }, (_, n) => `<${n}>`);
    for (const word of words) {
      client.socket.write(word);
      await new Promise(setImmediate);
    }
    await until(() => client.received.length === words.join('').length, { what: 'all words' });
    expect(client.received).toBe(words.join(''));
    expect(turn).toBeGreaterThan(4);
  });

  it('delays each direction by what the option says, and stops when it is taken away', async () => {
    proxy.delay = () => 40;
    const client = await open();
    const start = performance.now();
    await echo(client, 'slow');
    expect(performance.now() - start).toBeGreaterThanOrEqual(78);
    let asked = 0;
    proxy.delay = () => asked++ * 0;
    await echo(client, 'fast');
    expect(asked).toBeGreaterThanOrEqual(2);
  });

  it('swallows everything as a black hole, and keeps those connections dead after it heals', async () => {
    const old = await open();
    await echo(old, 'a');
    proxy.blackhole();
    old.socket.write('lost');
    const during = await open();
    during.socket.write('lost too');
    await until(() => proxy.counters().swallowed === 12, { what: 'both writes to be swallowed' });
    accepted[0]?.end('never seen');
    await until(() => proxy.counters().swallowed === 22, { what: 'the reply to be swallowed' });
    await proxy.heal();
    const fresh = await open();
    await echo(fresh, 'b');
    old.socket.write('still lost');
    await until(() => proxy.counters().swallowed === 32, { what: 'the last write to be swallowed' });
    expect([old, during]).toMatchObject([
      { received: 'a', ending: undefined },
      { received: '', ending: undefined },
    ]);
  });

  it.each([
    ['end', 'end'],
    ['reset', 'ECONNRESET'],
  ] as const)('cuts all connections with %s, and accepts new ones', async (how, ending) => {
    const client = await open();
    await echo(client, 'a');
    proxy.cut(how);
    await until(() => client.ending, { what: 'the cut' });
    expect(client.ending).toBe(ending);
    await echo(await open(), 'b');
  });

  it('refuses new connections, keeps the open ones, and heals on the same port', async () => {
    const old = await open();
    await echo(old, 'a');
    proxy.refuse();
    expect((await open()).ending).toBe('ECONNREFUSED');
    await echo(old, 'b');
    await proxy.heal();
    await echo(await open(), 'c');
  });

  it('lets a part of the next reply through and closes', async () => {
    const client = await open();
    proxy.truncateNextReply(3);
    client.socket.write('abcdef');
    await until(() => client.ending, { what: 'the end' });
    expect(client).toMatchObject({ received: 'abc', ending: 'end' });
    await echo(await open(), 'whole');
  });

  it('lets a part of the next reply through and goes silent', async () => {
    const client = await open();
    proxy.truncateNextReply(3, 'stall');
    client.socket.write('abcdef');
    await until(() => client.received === 'abc', { what: 'the first part' });
    client.socket.write('more');
    await until(() => proxy.counters().swallowed === 7, { what: 'the rest to be swallowed' });
    expect(client).toMatchObject({ received: 'abc', ending: undefined });
  });

  it('corrupts one reply', async () => {
    const client = await open();
    proxy.corruptNextReply((reply) => Buffer.from(reply.toString().toUpperCase()));
    client.socket.write('loud');
    await until(() => client.received.length === 4, { what: 'the changed reply' });
    await echo(client, 'quiet');
    expect(client.received).toBe('LOUDquiet');
  });

  it('resets the client when the target is not there', async () => {
    target.close();
    const client = await open();
    await until(() => client.ending, { what: 'the reset' });
    expect(client.ending).toBe('ECONNRESET');
  });
});
