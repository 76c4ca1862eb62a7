import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventStreams } from '../../examples/atlas/event-streams.ts';
import { until } from '../kit/wait.ts';
import { watch } from './event-source.ts';

type Tell = (event: string, data: unknown) => void;

/** A server whose every answer is a stream. */
async function serve(streams: EventStreams) {
  const tells: Tell[] = [];
  const responses: ServerResponse[] = [];
  let ended = 0;
  const server = createServer((_request, response) => {
    responses.push(response);
    streams.begin(response, (tell) => {
      tells.push(tell);
      return () => {
        ended += 1;
      };
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, tells, responses, ended: () => ended };
}

/** Asks, and reads nothing of the answer. */
async function askAndSleep(url: string): Promise<IncomingMessage> {
  const asking = request(url, { agent: false }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.pause();
  answer.on('error', () => {});
  return answer;
}

/** More than sockets take from one that does not read. */
const megabyte = 'x'.repeat(1024 * 1024);
const many = 30;

describe('a stream of events', () => {
  it('is there at once, says when to come back, and tells what is new', async () => {
    const { url, tells } = await serve(new EventStreams());
    const stream = await watch(url);
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    tells[0]?.('top', { rows: ['a\nb'] });
    tells[0]?.('top', null);
    await until(() => stream.events.length === 2, { what: 'two events' });
    expect(stream.events).toEqual([
      { event: 'top', data: { rows: ['a\nb'] } },
      { event: 'top', data: null },
    ]);
    stream.abort();
  });

  it('says now and then that it is still there', async () => {
    const streams = new EventStreams({ heartbeatMs: 10 });
    const stream = await watch((await serve(streams)).url);
    await until(() => stream.comments.length > 2, { what: 'some heartbeats' });
    expect(new Set(stream.comments)).toEqual(new Set([': still here']));
    stream.abort();
  });

  it('is forgotten, once, when the client has gone', async () => {
    const streams = new EventStreams({ heartbeatMs: 10 });
    const { url, tells, ended } = await serve(streams);
    const [one, other] = [await watch(url), await watch(url)];
    expect(streams.size).toBe(2);
    one.abort();
    await until(() => streams.size === 1, { what: 'one to be forgotten' });
    expect(ended()).toBe(1);
    // Too late, and no harm.
    tells[0]?.('top', 1);
    tells[1]?.('top', 2);
    await until(() => other.events.length === 1, { what: 'the other one to go on' });
    other.abort();
    await until(() => streams.size === 0, { what: 'both to be forgotten' });
    expect(ended()).toBe(2);
  });

  it('does not begin for a client that has gone before', async () => {
    const streams = new EventStreams();
    let started = 0;
    const server = createServer((_request, response) => {
      response.once('close', () => {
        streams.begin(response, () => {
          started += 1;
          return () => {};
        });
        server.emit('begun');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const begun = once(server, 'begun');
    const asking = request({ port: (server.address() as AddressInfo).port, agent: false }).end();
    asking.on('error', () => {});
    await once(server, 'request');
    asking.destroy();
    await begun;
    expect([streams.size, started]).toEqual([0, 0]);
    server.close();
  });

  it('keeps for a slow client only what is latest', async () => {
    const { url, tells, responses } = await serve(new EventStreams());
    const answer = await askAndSleep(url);
    for (let number = 1; number <= many; number += 1) tells[0]?.('top', { number, megabyte });
    expect(responses[0]?.writableLength).toBeLessThan(3 * megabyte.length);
    const numbers: number[] = [];
    answer.setEncoding('utf8').on('data', (text: string) => {
      for (const [, number] of text.matchAll(/"number":(\d+)/g)) numbers.push(Number(number));
    });
    answer.resume();
    await until(() => numbers.at(-1) === many, { what: 'the latest event' });
    expect(numbers.length).toBeLessThan(many);
    answer.destroy();
  });

  it('is cut off when its client reads nothing between two heartbeats', async () => {
    const streams = new EventStreams({ heartbeatMs: 20 });
    const { url, tells, ended } = await serve(streams);
    await askAndSleep(url);
    const cutOff = () => {
      // Until its sockets are full, and longer.
      tells[0]?.('top', megabyte);
      return streams.size === 0;
    };
    await until(cutOff, { what: 'the stream to be cut off' });
    expect(ended()).toBe(1);
  });

  it('ends with the others, and none begins after that', async () => {
    const streams = new EventStreams();
    const { url, ended } = await serve(streams);
    const open = [await watch(url), await watch(url)];
    streams.close();
    open.push(await watch(url));
    for (const stream of open) await until(() => stream.ended, { what: 'the end of a stream' });
    expect(streams.size).toBe(0);
    expect(ended()).toBe(3);
  });
});
