import { memory } from 'hotshelf/memory';
import { chaos } from 'hotshelf/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { hashPassword, isPassword, nobodysHash } from '../../examples/atlas/password.ts';
import { Accounts } from '../../examples/atlas/accounts.ts';
import { until } from '../kit/wait.ts';
import { createSite, paris } from './site.ts';
import { newName, openSite, type OpenSite, password, Visitor } from './visitor.ts';

const cheap = { N: 2, r: 8, p: 1 };

describe('the sessions of the atlas', () => {
  const backend = chaos(memory());
  let database: Database;
  let site: OpenSite;
  beforeAll(async () => {
    database = await openSqlite({ limit: 500 });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    const peer = { ...backend, close: async () => {} };
    site = await openSite(createSite(database, { backends: [peer, peer] }));
  });
  afterEach(async () => {
    backend.chaos.set({ throws: 0 });
    await site.close();
  });

  it('are 503 with Retry-After while the backend fails, and nobody is logged out by that', async () => {
    const visitor = site.visitor();
    const name = newName();
    await visitor.signUp(name);
    backend.chaos.set({ throws: 1 });
    const replies = [
      await visitor.get('/me'),
      await visitor.get('/me/sessions'),
      await visitor.get('/favourites'),
      await visitor.send('POST', '/logout'),
      await visitor.send('POST', '/logout/everywhere'),
      await site.visitor().signUp(newName()),
      await site.visitor().send('PUT', `/favourites/${paris}`),
    ];
    for (const { status, headers, body } of replies) {
      expect(status).toBe(503);
      expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
      expect(headers.get('Retry-After')).toBe('1');
      expect(headers.getSetCookie()).toEqual([]);
      expect(body).toMatchObject({ status: 503, detail: 'The sessions cannot be reached.' });
    }
    backend.chaos.set({ throws: 0 });
    expect((await visitor.get('/me')).body).toMatchObject({ user: { name } });
  });

  it('do not begin while the backend fails, as nobody could count who tries, and everything else goes on', async () => {
    const name = newName();
    await site.visitor().signUp(name);
    backend.chaos.set({ throws: 1 });
    const { status, headers, body } = await site.visitor().logIn(name);
    expect(status).toBe(503);
    expect(headers.get('Retry-After')).toBe('1');
    expect(body).toMatchObject({
      title: 'Temporary Reduced Capacity',
      detail: 'Limits cannot be checked at the moment.',
    });
    expect((await site.visitor().get('/countries')).status).toBe(200);
    backend.chaos.set({ throws: 0 });
    const logsIn = async () => (await site.visitor().logIn(name)).status === 200;
    await until(logsIn, { what: 'the limits to be counted again' });
  });

  it('are no reason not to show a city', async () => {
    const visitor = site.visitor();
    await visitor.signUp(newName());
    const { cookie } = visitor;
    backend.chaos.set({ throws: 1 });
    const { status, body, headers } = await visitor.get(`/cities/${paris}`);
    expect([status, body['name']]).toEqual([200, 'Paris']);
    expect(headers.get('Cache-Status')).toMatch(/^hotshelf; fwd=bypass/);
    backend.chaos.set({ throws: 0 });
    expect(visitor.cookie).toBe(cookie);
    await visitor.get(`/cities/${paris}`);
    expect((await visitor.get('/me')).body).toMatchObject({ views: 1 });
  });

  it('are nothing to who makes up a cookie', async () => {
    const visitor = site.visitor();
    await visitor.signUp(newName());
    const [name = '', value = ''] = visitor.cookie.split('=');
    const forged = new Visitor(site.url, `${name}=${value.slice(0, -3)}AAA`);
    expect((await forged.get('/me')).status).toBe(401);
  });

  it('hold a hundred favourites and no more', async () => {
    const visitor = site.visitor();
    const cities = await database.query<{ id: number }>('select id from atlas_city order by id limit 101');
    const statuses: number[] = [];
    for (const { id } of cities) statuses.push((await visitor.send('PUT', `/favourites/${id}`)).status);
    expect(statuses.slice(0, 100).every((status) => status === 204)).toBe(true);
    expect(statuses[100]).toBe(409);
  });

  it.each([
    ['no body', undefined],
    ['no password', { name: 'somebody' }],
    ['a short password', { name: 'somebody', password: 'eleven char' }],
    ['a long password', { name: 'somebody', password: 'x'.repeat(201) }],
    ['a password that is none', { name: 'somebody', password: 123_456_789_012 }],
    ['a short name', { name: 'ab', password }],
    ['a long name', { name: 'x'.repeat(33), password }],
    ['a name with blanks', { name: 'some body', password }],
    ['a name that is none', { name: ['somebody'], password }],
    ['something else', { name: 'somebody', password, admin: true }],
    ['an array', []],
  ])('do not begin with %s', async (_what, body) => {
    for (const path of ['/signup', '/login']) {
      const { status, headers } = await site.visitor().send('POST', path, body);
      expect([path, status]).toEqual([path, 400]);
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  it.each([
    ['GET', '/signup', 'POST'],
    ['GET', '/login', 'POST'],
    ['GET', '/logout', 'POST'],
    ['DELETE', '/logout/everywhere', 'POST'],
    ['POST', '/me', 'GET, HEAD'],
    ['POST', '/me/sessions', 'GET, HEAD'],
    ['POST', '/favourites', 'GET, HEAD'],
    ['GET', `/favourites/${paris}`, 'PUT, DELETE'],
  ])('know no %s %s', async (method, path, allowed) => {
    const { status, headers } = await site.visitor().send(method, path);
    expect([status, headers.get('Allow')]).toEqual([405, allowed]);
  });
});

describe('a password', () => {
  it('fits what was made of it, however its accents are typed, and nothing else does', async () => {
    const stored = await hashPassword('cr\u00e8me br\u00fbl\u00e9e', cheap);
    expect(await isPassword('cre\u0300me bru\u0302le\u0301e', stored)).toBe(true);
    expect(await isPassword('creme brulee', stored)).toBe(false);
    expect(await isPassword('', stored)).toBe(false);
  });

  it('is stored in another way each time, and never as it is', async () => {
    const [one, other] = [await hashPassword(password, cheap), await hashPassword(password, cheap)];
    expect(one).not.toBe(other);
    expect(one).not.toContain(password);
  });

  it('stays good when the cost is raised', async () => {
    const stored = await hashPassword(password, cheap);
    expect(stored).toMatch(/^scrypt:2:8:1:/);
    expect(await hashPassword(password)).toMatch(/^scrypt:32768:8:3:/);
    expect(await isPassword(password, stored)).toBe(true);
  });

  it('never fits where there is no user', async () => {
    expect(await isPassword('', nobodysHash(cheap))).toBe(false);
    expect(await isPassword(password, nobodysHash(cheap))).toBe(false);
  });

  it('takes as long to refuse where there is no user', async () => {
    const database = await openSqlite({ limit: 1 });
    const accounts = new Accounts(database, { N: 2 ** 14, r: 8, p: 1 });
    await accounts.create({ name: 'ada', password });
    const least = async (name: string): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const startedAt = performance.now();
        expect(await accounts.find({ name, password: 'something else' })).toBeUndefined();
        times.push(performance.now() - startedAt);
      }
      return Math.min(...times);
    };
    expect(await least('nobody')).toBeGreaterThan((await least('ada')) / 3);
    await database.close();
  });
});
