/** Random requests and answers, end to end: nothing forbidden is used again, nothing is fresh for too long, nothing crashes. */

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Agent } from 'node:http';
import { createCache } from 'hotshelf';
import { cacheResponses, type Middleware, type ResponseCacheOptions } from 'hotshelf/express';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';
import { type Answer, ask } from './site.ts';

const pairs = 10_000;
/** Each pair is played to the end: asked for, asked for again later, and once more. */
const patience = 720_000;

const clock = fakeClock();
const cache = createCache({ backend: memory({ clock, maxBytes: 67_108_864 }), clock });
const agent = new Agent({ keepAlive: true });
let port = 0;
let handle: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end();
const server = createServer((req, res) => handle(req, res));

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  agent.destroy();
  server.close();
  await cache.close();
});

const seconds = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(-1, 2 ** 31, 1.5));
const directive = fc.oneof(
  fc
    .tuple(fc.constantFrom('max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error', 'MAX-AGE'), seconds)
    .map((pair) => pair.join('=')),
  fc.constantFrom(
    'no-store',
    'no-cache',
    'private',
    'public',
    'must-revalidate',
    'proxy-revalidate',
    'must-understand',
  ),
  fc.constantFrom(
    'immutable',
    'no-cache="x-one"',
    'private="X-Two, set-cookie"',
    'foo',
    'max-age="10"',
    'max-age',
    '=',
  ),
);
/** RFC 9213 section 2.1: what is no dictionary is ignored. So these are: in lower case, with whole numbers, with a value or none. */
const sound = fc.oneof(
  fc
    .tuple(fc.constantFrom('max-age', 's-maxage', 'stale-while-revalidate'), fc.nat({ max: 100 }))
    .map((pair) => pair.join('=')),
  fc.constantFrom(
    'no-store',
    'no-cache',
    'private',
    'public',
    'must-revalidate',
    'must-understand',
    'immutable',
    'foo',
  ),
);
const targeted = fc.array(sound, { minLength: 1, maxLength: 4 }).map((list) => list.join(', '));
const directives = fc.array(directive, { minLength: 1, maxLength: 4 }).map((list) => list.join(', '));
const date = fc.integer({ min: -100, max: 100 }).map((by) => new Date(clock.now() + by * 1000).toUTCString());
/** For one that has a field, so many have not. */
const seldom = 6;

function fieldsOf<Names extends string>(
  each: Record<Names, fc.Arbitrary<string>>,
): fc.Arbitrary<Partial<Record<Names, string>>> {
  const entries = Object.entries<fc.Arbitrary<string>>(each);
  return fc
    .tuple(
      ...entries.map(([, value]) =>
        fc.oneof({ weight: seldom, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value }),
      ),
    )
    .map((values) => {
      const pairs = entries.map(([name], index) => [name, values[index]] as const);
      return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as Partial<Record<Names, string>>;
    });
}

const answerFields = fc
  .record({
    usual: fieldsOf({ 'Cache-Control': fc.constant('max-age=60'), ETag: fc.constant('"a"') }),
    odd: fieldsOf({
      'Cache-Control': fc.oneof(directives, directives, fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
      'CDN-Cache-Control': fc.oneof(targeted, fc.constant('max-age="1", ')),
      Expires: fc.oneof(date, fc.constantFrom('0', 'never')),
      Date: fc.oneof(date, fc.constant('today')),
      Age: fc.constantFrom('0', '5', '50', '-1', 'x', '5, 7'),
      ETag: fc.constantFrom('"a"', 'W/"a"', 'a', '', '"b"'),
      'Last-Modified': date,
      Vary: fc.constantFrom('X-Vary', '*', 'x-vary, Cookie', '', 'a b'),
      'Set-Cookie': fc.constant('secret=1'),
      Connection: fc.constantFrom('x-one', 'keep-alive, X-Two'),
      'X-One': fc.constant('one'),
      'X-Two': fc.constant('two'),
      'Proxy-Authenticate': fc.constant('Basic'),
      'Content-Type': fc.constantFrom('text/plain', 'image/png'),
    }),
  })
  .map(({ usual, odd }) => ({ ...usual, ...odd }));
const requestFields = fieldsOf({
  'Cache-Control': directives,
  Authorization: fc.constant('Bearer a'),
  Cookie: fc.constantFrom('a', 'b'),
  'X-Vary': fc.constantFrom('a', 'b'),
  'If-None-Match': fc.constantFrom('"a"', '*', '"zzz"', 'broken'),
  'If-Modified-Since': date,
  Range: fc.constantFrom('bytes=0-2', 'bytes=-1', 'bytes=90-', 'x'),
  'Accept-Encoding': fc.constantFrom('gzip', 'identity', 'gzip;q=0'),
});
const options: fc.Arbitrary<Omit<ResponseCacheOptions, 'cache'>> = fc.record(
  {
    ttl: fc.constantFrom(1000, 60_000),
    public: fc.boolean(),
    heuristic: fc.boolean(),
    requestDirectives: fc.boolean(),
    storeErrors: fc.boolean(),
    compress: fc.boolean().map((on) => on && { above: 1 }),
  },
  { requiredKeys: [] },
);
const pause = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 120 }));
const play = fc.record({
  options,
  answer: answerFields,
  status: fc.constantFrom(...Array.from({ length: 30 }, () => 200), 203, 204, 206, 301, 302, 304, 404, 429, 500, 503),
  text: fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  reads: fc.constantFrom(false, false, false, true),
  pieces: fc.boolean(),
  requests: fc.tuple(requestFields, requestFields, requestFields),
  pauses: fc.tuple(pause, pause),
});
type Play = typeof play extends fc.Arbitrary<infer Value> ? Value : never;

interface Seen {
  readonly answer: Answer;
  readonly fields: Partial<Record<string, string>>;
  readonly at: number;
}

/** One run of the handler: when, and for which request. */
type Run = Pick<Seen, 'at' | 'fields'>;

interface Performed {
  readonly seen: readonly Seen[];
  readonly runs: readonly Run[];
  /** How far the clock was moved while requests went on: so much may lie between a run and what it is dated by. */
  readonly pushedMs: number;
}

let count = 0;
const pushMs = 20;

/** A request that waits for what another one still stores waits until the clock moves. */
async function askSoon(path: string, fields: Record<string, string>, onPush: () => void): Promise<Answer> {
  const answer = ask({ port, agent }, path, fields);
  const push = () => {
    onPush();
    void clock.advance(pushMs);
  };
  const pushing = setInterval(push, 50);
  return answer.finally(() => clearInterval(pushing));
}

async function perform(one: Play): Promise<Performed> {
  count += 1;
  let pushedMs = 0;
  const runs: Run[] = [];
  const middleware = cacheResponses({ cache, ...one.options }) as Middleware<IncomingMessage>;
  handle = (req, res) => {
    void middleware(req, res, () => {
      runs.push({ at: clock.now(), fields: one.requests[Number(req.headers['x-index'])] ?? {} });
      if (one.reads) void req.headers.cookie;
      res.statusCode = one.status;
      for (const [name, value] of Object.entries(one.answer)) res.setHeader(name, value);
      res.setHeader('X-Run', runs.length);
      const isEmpty = one.status === 204 || one.status === 304;
      if (one.pieces && !isEmpty) res.write(one.text.slice(0, 5));
      res.end(isEmpty ? undefined : one.pieces ? one.text.slice(5) : one.text);
    });
  };
  const seen: Seen[] = [];
  for (const [index, fields] of one.requests.entries()) {
    if (index > 0) await clock.advance((one.pauses[index - 1] ?? 0) * 1000);
    const answer = await askSoon(`/${count}`, { ...fields, 'X-Index': `${index}` }, () => (pushedMs += pushMs));
    seen.push({ answer, fields, at: clock.now() });
  }
  return { seen, runs, pushedMs };
}

/** What the whole standard comes to for the one who only looks at the answers; deliberately not the code that is tested. */
function check(one: Play, { seen, runs, pushedMs }: Performed): void {
  const { answer: said, options: rules } = one;
  const control = said['Cache-Control'] ?? '';
  const isTargeted = said['CDN-Cache-Control'] !== undefined && !said['CDN-Cache-Control'].includes('"');
  const governing = isTargeted ? (said['CDN-Cache-Control'] ?? '') : control;
  for (const { answer, fields, at } of seen) {
    // Statuses of the handler, or what conditions and ranges make of a 200. Nothing of our own but for only-if-cached.
    expect([one.status, 304, 206, 416, 504].includes(answer.status)).toBe(true);
    if (answer.status === 504) expect(fields['Cache-Control']).toMatch(/only-if-cached/);
    const isUsedAgain = answer.headers.age !== undefined && answer.cached.startsWith('hit');
    if (!isUsedAgain) continue;
    const { headers } = answer;
    for (const name of ['set-cookie', 'proxy-authenticate']) expect(headers[name]).toBeUndefined();
    const named = (said.Connection ?? '').toLowerCase();
    for (const name of ['x-one', 'x-two']) {
      if (named.includes(name)) expect(headers[name]).toBeUndefined();
    }
    expect(governing).not.toMatch(/(?:^|[\s,])(?:private|no-cache)(?:$|[\s,])/i);
    if (!/must-understand/.test(governing)) expect(governing).not.toMatch(/(?:^|[\s,])no-store(?:$|[\s,])/i);
    expect(said.Vary).not.toBe('*');
    expect(said['Set-Cookie']).toBeUndefined();
    expect([206, 304, 429]).not.toContain(one.status);
    if (one.reads) expect(rules.public).toBe(true);
    if (one.status >= 500) expect(rules.storeErrors).toBe(true);
    // These do not show which run they are of.
    if (answer.status === 304 || answer.status === 416) continue;
    const origin = runs[Number(headers['x-run']) - 1];
    if (origin === undefined) throw new Error('an answer that the handler has not made');
    const selects = (said.Vary ?? '').toLowerCase();
    if (selects.includes('x-vary')) expect(fields['X-Vary']).toBe(origin.fields['X-Vary']);
    if (selects.includes('cookie')) expect(fields['Cookie']).toBe(origin.fields['Cookie']);
    const ttl = Number(/ttl=(-?\d+)/.exec(answer.cached)?.[1]);
    const most = lifetimeAbove(one, governing, isTargeted);
    const residentSeconds = (at - origin.at - pushedMs) / 1000;
    // What is stale is used only while it is refreshed; and no lifetime is longer than what was said.
    if (residentSeconds >= most + 1) expect(ttl).toBeLessThan(0);
    expect(ttl).toBeLessThanOrEqual(Math.max(0, Math.ceil(most - residentSeconds)));
    expect(Number(headers.age)).toBeGreaterThanOrEqual(Math.floor(residentSeconds));
  }
}

/** The most that the answer allows, in seconds: the largest of all that it says, for doubled directives are for others to judge. */
function lifetimeAbove({ answer, options: rules }: Play, governing: string, isTargeted: boolean): number {
  if (rules.ttl !== undefined) return Number(rules.ttl) / 1000;
  const said = ['s-maxage', 'max-age'].map((name) => {
    const all = [...governing.matchAll(new RegExp(`(?:^|[\\s,])${name}="?(\\d+)`, 'gi'))].map((found) =>
      Number(found[1]),
    );
    return all.length === 0 ? undefined : Math.max(...all);
  });
  const stated = said.filter((each) => each !== undefined);
  if (stated.length > 0) return Math.max(...stated);
  if (!isTargeted && answer.Expires !== undefined) return 201;
  return rules.heuristic === true ? 1_000_000 : 0;
}

it(`holds for ${pairs} random pairs`, { timeout: patience }, async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(play, async (one) => {
      const performed = await perform(one);
      const { seen } = performed;
      hits += seen.filter(({ answer }) => answer.cached.startsWith('hit')).length;
      check(one, performed);
    }),
    { numRuns: Math.ceil(pairs / 3) },
  );
  // Without hits nothing would have been shown.
  expect(hits).toBeGreaterThan(pairs / 10);
});

it('would notice an answer that is used for too long (control)', async () => {
  const one: Play = {
    options: {},
    answer: { 'Cache-Control': 'max-age=1' },
    status: 200,
    text: 'text',
    reads: false,
    pieces: false,
    requests: [{}, {}, {}],
    pauses: [0, 0],
  };
  const performed = await perform(one);
  expect(() => check(one, performed)).not.toThrow();
  const late = performed.seen.map((each, index) => (index === 2 ? { ...each, at: each.at + 5000 } : each));
  expect(() => check(one, { ...performed, seen: late })).toThrow(/expected/);
});
