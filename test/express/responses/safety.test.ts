/** Two users behind one cache: whatever a handler reads and says, nothing of one reaches the other. */

import type { IncomingMessage } from 'node:http';
import session from 'express-session';
import type { ResponseCacheOptions } from 'hotshelf/express';
import { describe, expect, it } from 'vitest';
import { cachedSite, frameworks, type Framework, type Handler, type Site } from './site.ts';

/** So long that no signature of a cookie has one of them by chance. */
const users = ['ann.of.kent', 'bob.of.york'] as const;
type User = (typeof users)[number];
type Options = Omit<ResponseCacheOptions, 'cache'>;

/** How the handler knows whose request it is, and what the client sends for that. */
interface Source {
  readonly name: string;
  readonly fields: (user: User) => Record<string, string>;
  readonly read: (req: IncomingMessage) => unknown;
  readonly before?: readonly Handler[];
  readonly after?: readonly Handler[];
}

const byCookie = (user: User) => ({ Cookie: `user=${user}` });
const cookieOf = (req: IncomingMessage) => req.headers.cookie?.slice('user='.length);
const properties = (name: string): Handler => {
  return (req, _res, next) => {
    Object.assign(req, { [name]: { name: cookieOf(req) } });
    next();
  };
};
const propertyOf = (name: string) => (req: IncomingMessage) => (Reflect.get(req, name) as { name: string }).name;
const sessions = () => {
  const make: Handler = (req, res, next) => {
    const sid = cookieOf(req) ?? '';
    // Each user has a session of his own from the start.
    return session({
      secret: 's',
      resave: true,
      saveUninitialized: true,
      rolling: true,
      genid: () => `${sid}-${Math.random()}`,
    })(req, res, () => {
      Object.assign(req.session, { user: sid });
      next();
    });
  };
  return make;
};
const sessionOf = (req: IncomingMessage) => (Reflect.get(req, 'session') as { user: string }).user;

const sources: readonly Source[] = [
  { name: 'the cookie', fields: byCookie, read: cookieOf },
  { name: 'all fields', fields: byCookie, read: (req) => ({ ...req.headers }).cookie?.slice(5) },
  {
    name: 'the raw fields',
    fields: byCookie,
    read: (req) => req.rawHeaders.find((text) => text.startsWith('user='))?.slice(5),
  },
  {
    name: 'Authorization',
    fields: (user) => ({ Authorization: `Bearer ${user}` }),
    read: (req) => req.headers.authorization?.slice('Bearer '.length),
  },
  { name: 'req.user from before', fields: byCookie, read: propertyOf('user'), before: [properties('user')] },
  { name: 'req.auth from behind', fields: byCookie, read: propertyOf('auth'), after: [properties('auth')] },
  { name: 'a session from before', fields: byCookie, read: sessionOf, before: [sessions()] },
  { name: 'a session from behind', fields: byCookie, read: sessionOf, after: [sessions()] },
];

/** What the handler says of its answer. */
const replies: readonly [name: string, (user: string) => Record<string, string>][] = [
  ['nothing', () => ({})],
  ['max-age', () => ({ 'Cache-Control': 'max-age=60' })],
  ['public', () => ({ 'Cache-Control': 'public, max-age=60' })],
  ['s-maxage', () => ({ 'Cache-Control': 's-maxage=60, must-revalidate' })],
  ['private', () => ({ 'Cache-Control': 'private, max-age=60' })],
  ['no-store', () => ({ 'Cache-Control': 'no-store' })],
  ['no-cache with a validator', () => ({ 'Cache-Control': 'no-cache', ETag: '"same"' })],
  ['CDN-Cache-Control', () => ({ 'CDN-Cache-Control': 'max-age=60', 'Cache-Control': 'no-store' })],
  ['Set-Cookie', (user) => ({ 'Set-Cookie': `id=${user}`, 'Cache-Control': 'public, max-age=60' })],
  ['Vary: Cookie', () => ({ Vary: 'Cookie', 'Cache-Control': 'max-age=60' })],
  ['Vary: *', () => ({ Vary: '*', 'Cache-Control': 'max-age=60' })],
];

/** Where the code says how long, and where the handler does. */
const modes: readonly Options[] = [{ ttl: '1m', grace: '1m', swr: '1m' }, {}];

interface Case {
  readonly source: Source;
  readonly reply: (typeof replies)[number];
  readonly options: Options;
}

async function siteOf({ source, reply: [, say], options }: Case, framework: Framework): Promise<Site> {
  return cachedSite(
    async (req, res) => {
      const user = String(source.read(req));
      await new Promise(setImmediate);
      for (const [name, value] of Object.entries(say(user))) res.setHeader(name, value);
      res.setHeader('X-User', user);
      res.write(`page of `);
      res.end(user);
    },
    options,
    { framework, before: source.before ?? [], after: source.after ?? [] },
  );
}

/** Asks as both users, in turn and at the same time, and returns what of one the other got. */
async function leaksOf(one: Case, framework: Framework): Promise<string[]> {
  const { source } = one;
  const site = await siteOf(one, framework);
  const leaks: string[] = [];
  const askAs = async (user: User, path: string) => {
    const { headers, text, status } = await site.ask(path, source.fields(user));
    const other = users[1 - users.indexOf(user)] ?? '';
    const all = `${JSON.stringify(headers)} ${text}`;
    if (all.includes(other) || status !== 200 || text !== `page of ${user}`) leaks.push(`${user} got ${all}`);
  };
  for (const user of ['ann.of.kent', 'bob.of.york', 'ann.of.kent', 'bob.of.york'] as const) await askAs(user, '/turns');
  await Promise.all(
    ['ann.of.kent', 'bob.of.york', 'ann.of.kent', 'bob.of.york', 'bob.of.york', 'ann.of.kent'].map((user) =>
      askAs(user as User, '/together'),
    ),
  );
  return leaks;
}

const cases = (options: readonly Options[]): Case[] =>
  sources.flatMap((source) => replies.flatMap((reply) => options.map((each) => ({ source, reply, options: each }))));

describe.each(frameworks)('two users on %s', (framework) => {
  it.each(sources)('get nothing of each other where the handler knows them by $name', async (source) => {
    for (const one of cases(modes).filter((each) => each.source === source)) {
      const leaks = await leaksOf(one, framework);
      expect(leaks, `${source.name}, ${one.reply[0]}`).toEqual([]);
    }
  });

  it('get answers of their own, from the cache, where the route says whose they are', async () => {
    for (const source of sources) {
      const per = (req: { readonly headers: IncomingMessage['headers'] }) =>
        req.headers.cookie ?? req.headers.authorization;
      const one = { source, reply: replies[1] ?? ['', () => ({})], options: { ttl: '1m', per } } as const;
      expect(await leaksOf(one, framework), source.name).toEqual([]);
    }
  });
});

describe.each(frameworks)('on %s', (framework) => {
  it('says that the answer is personal, and why nobody else gets it', async () => {
    const site = await cachedSite(
      (req, res) => {
        const user = cookieOf(req);
        // In one piece, or in two: then the head goes first.
        if (req.url === '/pieces') res.write('');
        res.end(user);
      },
      { ttl: '1m' },
      { framework },
    );
    for (const path of ['/whole', '/pieces']) {
      for (const user of users) {
        expect(await site.ask(path, byCookie(user))).toMatchObject({ text: user, cached: 'fwd=miss; detail=personal' });
      }
    }
  });

  it('gives nobody what a handler wrote that looked who is asking when its answer had begun', async () => {
    const site = await cachedSite(
      async (req, res) => {
        res.write('page of ');
        await new Promise(setImmediate);
        res.end(cookieOf(req));
      },
      { ttl: '1m' },
      { framework },
    );
    const answers = await Promise.all(
      ['ann.of.kent', 'bob.of.york'].map((user) => site.ask('/a', byCookie(user as User))),
    );
    answers.push(await site.ask('/a', byCookie('ann.of.kent')), await site.ask('/a', byCookie('bob.of.york')));
    expect(answers.map(({ text }) => text)).toEqual([
      'page of ann.of.kent',
      'page of bob.of.york',
      'page of ann.of.kent',
      'page of bob.of.york',
    ]);
  });
});

it('notices the leak where a route says that personal answers are for everybody', async () => {
  const leaking: string[] = [];
  for (const one of cases([{ ttl: '1m', public: true }])) {
    if ((await leaksOf(one, 'Express 5')).length > 0) leaking.push(`${one.source.name}, ${one.reply[0]}`);
  }
  // Only what the handler forbids, or what differs by the cookie, stays safe then.
  for (const { name } of sources) {
    if (name.startsWith('a session')) continue;
    expect(leaking).toEqual(expect.arrayContaining([`${name}, nothing`, `${name}, max-age`, `${name}, public`]));
  }
  expect(leaking.filter((name) => /private|no-store|Set-Cookie|Vary: \*/.test(name))).toEqual([]);
});
