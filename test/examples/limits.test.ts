import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { Front } from '../../examples/atlas/front.ts';
import { type LimitOptions, limitDefaults } from '../../examples/atlas/limits.ts';
import { proxyTo } from '../../examples/atlas/proxy.ts';
import { createSite } from './site.ts';
import { newName, openSite, type OpenSite, password } from './visitor.ts';

let database: Database;
beforeAll(async () => {
  database = await openSqlite({ limit: 500 });
});
afterAll(() => database.close());

async function siteWith(limits: Partial<LimitOptions>): Promise<OpenSite> {
  const site = await openSite(createSite(database, { limits: { ...limitDefaults, ...limits } }));
  onTestFinished(() => site.close());
  return site;
}

describe('the limit of the atlas', () => {
  it('is told in every answer, and counts what is expensive as five', async () => {
    const visitor = (await siteWith({ requestsPerMinute: 100 })).visitor();
    const left = async (path: string): Promise<number> => {
      const { status, headers } = await visitor.get(path);
      expect(status).not.toBe(429);
      expect(headers.get('RateLimit-Policy')).toBe('"minute";q=100;w=60');
      return Number(/^"minute";r=(\d+);t=\d+$/.exec(headers.get('RateLimit') ?? '')?.[1]);
    };
    expect(await left('/countries')).toBe(99);
    expect(await left('/countries')).toBe(98);
    // From the database, then from the cache, and however the path is written.
    for (const [place, path] of ['near', 'near', 'NEAR', 'near/'].entries()) {
      expect(await left(`/cities/${path}?lat=48.85&lon=2.35`)).toBe(93 - 5 * place);
    }
    expect(await left('/nowhere')).toBe(77);
  });

  it('is one for all instances, and a problem beyond it', async () => {
    const site = await siteWith({ requestsPerMinute: 4 });
    const visitor = site.visitor();
    const answers = [];
    for (let index = 0; index < 6; index += 1) answers.push(await visitor.get('/countries'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429]);
    expect(new Set(answers.map(({ headers }) => headers.get('X-Instance')))).toEqual(new Set(['1', '2']));
    const { headers, body } = await visitor.get('/countries');
    expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(50);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(body).toMatchObject({ type: expect.stringMatching(/quota-exceeded$/), status: 429 });
    // Who watches over it is not refused.
    for (const path of ['/healthz', '/readyz']) expect((await visitor.get(path)).status).toBe(200);
  });
});

describe('the limit of failed logins', () => {
  const statuses = async (site: OpenSite, names: readonly string[], secret: string): Promise<number[]> => {
    const found: number[] = [];
    for (const name of names) {
      const { status } = await site.visitor().send('POST', '/login', { name, password: secret });
      found.push(status);
    }
    return found;
  };

  it('is one for a user, in whichever letters and with whichever blanks', async () => {
    const site = await siteWith({ failedLogins: 5 });
    const [name, other] = [newName(), newName()];
    for (const one of [name, other]) await site.visitor().signUp(one);
    const wide = name.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0));
    const spellings = [name, name.toUpperCase(), ` ${name}\t`, wide, name, name];
    // With blanks and in wide letters it is the name of nobody, and counts all the same.
    expect(await statuses(site, spellings, `${password}!`)).toEqual([401, 401, 400, 400, 401, 429]);
    expect(await statuses(site, [name, name.toUpperCase(), wide], password)).toEqual([429, 429, 429]);
    expect(await statuses(site, [other], password)).toEqual([200]);
  });

  it('counts no login that is right', async () => {
    const site = await siteWith({ failedLogins: 2 });
    const name = newName();
    await site.visitor().signUp(name);
    for (let round = 0; round < 30; round += 1) {
      // What was taken is given back behind the answer.
      await expect.poll(() => statuses(site, [name], password)).toEqual([200]);
    }
    expect(await statuses(site, [name, name, name], 'something else')).toEqual([401, 401, 429]);
  });

  it('is ten times as high for an address', async () => {
    const site = await siteWith({ failedLogins: 1 });
    const names = Array.from({ length: 12 }, newName);
    const found = await statuses(site, names, password);
    expect(found).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const { headers } = await site.visitor().send('POST', '/login', { name: newName(), password });
    expect(headers.get('RateLimit-Policy')).toMatch(/"logins-from-address";q=10;w=900$/);
  });
});

it('tells an instance in another process who asked, whatever the client says', async () => {
  const server = createServer((request, response) => response.end(request.headers['x-forwarded-for']));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front = new Front();
  front.add(proxyTo((server.address() as AddressInfo).port));
  const url = `http://127.0.0.1:${await front.listen(0, '127.0.0.1')}`;
  onTestFinished(async () => {
    await front.drain(500);
    server.closeAllConnections();
    server.close();
  });
  const seen = async (headers: Record<string, string>) => (await fetch(url, { headers })).text();
  expect(await seen({})).toBe('127.0.0.1');
  expect(await seen({ 'X-Forwarded-For': '203.0.113.7' })).toBe('203.0.113.7, 127.0.0.1');
});
