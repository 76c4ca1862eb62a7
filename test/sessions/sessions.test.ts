/** The one line for sessions, through HTTP on Express 5 and 4: what a visitor sees. */

import { createRequire } from 'node:module';
import express from 'express';
import { memory } from 'hotshelf/memory';
import { login, logout, sessions, type SessionsOptions, updateSession } from 'hotshelf/sessions';
import { chaos } from 'hotshelf/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from './calls.ts';
import { listen } from './site.ts';

const secret = 'a secret that is long enough for production';
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

// Express 4, for which no types are installed: what is used here is the same.
const express4: typeof express = createRequire(import.meta.url)('express4');

type Express = () => express.Express;
const versions: readonly (readonly [string, Express])[] = [
  ['Express 5', express],
  ['Express 4', express4],
];

function shop(make: Express, options: Partial<SessionsOptions> = {}) {
  const backend = chaos(memory());
  const app = make();
  app.set('env', 'test');
  const web = sessions({ backend, secret, ownerOf: ({ userId }) => userId, ...options });
  app.use(web);
  app.get('/', (req, res) => void res.json({ id: req.sessionID, user: req.session.userId, views: req.session.views }));
  app.get('/view', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.send(String(req.session.views));
  });
  app.get('/stream', (req, res) => {
    req.session.views = 7;
    res.type('text').set('x-before', 'yes');
    res.write('a');
    res.write('b');
    setImmediate(() => res.end('c'));
  });
  app.post('/login', (req, res, next) => {
    const userId = typeof req.query['as'] === 'string' ? req.query['as'] : '';
    login(req, { userId }).then(() => res.redirect('/'), next);
  });
  app.post('/logout', (req, res, next) => {
    logout(req).then(() => res.redirect('/'), next);
  });
  app.post('/add', (req, res, next) => {
    updateSession(req, (fields) => void (fields.views = (fields.views ?? 0) + 1)).then((ok) => res.json(ok), next);
  });
  app.post('/everywhere', (req, res, next) => {
    web.revokeOwner(req.session.userId ?? '', req).then((count) => res.json(count), next);
  });
  app.get('/sessions', (req, res, next) => {
    web.listByOwner(req.session.userId ?? '').then((list) => res.json(list), next);
  });
  return { app, backend, web };
}

async function open(make: Express, options?: Partial<SessionsOptions>) {
  const { app, backend, web } = shop(make, options);
  const { url, close } = await listen(app);
  cleanups.push(close);
  return { backend, web, url, browser: () => new Browser(url) };
}

describe.each(versions)('on %s', (_version, make) => {
  it('sets no cookie until something is in the session', async () => {
    const site = await open(make);
    const browser = site.browser();
    await browser.get('/');
    expect(browser.jar.size).toBe(0);
    expect((await browser.get('/view')).text).toBe('1');
    expect((await browser.get('/view')).text).toBe('2');
    expect(JSON.parse((await browser.get('/')).text)).toMatchObject({ views: 2 });
  });

  it('gives a hardened cookie', async () => {
    const site = await open(make);
    const { headers } = await site.browser().get('/view');
    expect(headers.get('set-cookie')).toMatch(/^sid=s%3A[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('gives a login a new id, and the old one is dead at once', async () => {
    const site = await open(make);
    const browser = site.browser();
    await browser.get('/view');
    const thief = browser.copy();
    const before = JSON.parse((await browser.get('/')).text) as { id: string };
    expect((await browser.post('/login?as=ada')).status).toBe(302);
    const after = JSON.parse((await browser.get('/')).text) as { id: string };
    expect(after).toEqual({ id: expect.any(String), user: 'ada' });
    expect(after.id).not.toBe(before.id);
    expect(JSON.parse((await thief.get('/')).text)).not.toMatchObject({ id: before.id });
    expect(JSON.parse((await thief.get('/')).text)).not.toHaveProperty('views');
  });

  it('logs out for everybody who has the cookie', async () => {
    const site = await open(make);
    const browser = site.browser();
    await browser.post('/login?as=ada');
    const other = browser.copy();
    expect((await browser.post('/logout')).status).toBe(302);
    expect(JSON.parse((await browser.get('/')).text)).not.toHaveProperty('user');
    expect(JSON.parse((await other.get('/')).text)).not.toHaveProperty('user');
  });

  it('lists the sessions of an owner and ends the others', async () => {
    const site = await open(make);
    const [phone, laptop, stranger] = [site.browser(), site.browser(), site.browser()];
    await phone.post('/login?as=ada');
    await laptop.post('/login?as=ada');
    await stranger.post('/login?as=bob');
    const list = JSON.parse((await phone.get('/sessions')).text) as { id: string }[];
    expect(list).toHaveLength(2);
    const mine = JSON.parse((await phone.get('/')).text) as { id: string };
    expect(list.map(({ id }) => id)).toContain(site.web.store.idOf(mine.id));
    expect((await phone.post('/everywhere')).text).toBe('1');
    expect(JSON.parse((await laptop.get('/')).text)).not.toHaveProperty('user');
    expect(JSON.parse((await phone.get('/')).text)).toMatchObject({ user: 'ada' });
    expect(JSON.parse((await stranger.get('/')).text)).toMatchObject({ user: 'bob' });
    expect(JSON.parse((await phone.get('/sessions')).text)).toHaveLength(1);
  });

  it('loses no increment of updateSession', async () => {
    const site = await open(make);
    const browser = site.browser();
    await browser.get('/view');
    await Promise.all(Array.from({ length: 30 }, () => browser.copy().post('/add')));
    expect(JSON.parse((await browser.get('/')).text)).toMatchObject({ views: 31 });
  });

  it('streams a response as it was written', async () => {
    const site = await open(make);
    const browser = site.browser();
    const { text, headers, status } = await browser.get('/stream');
    expect([status, text, headers.get('x-before')]).toEqual([200, 'abc', 'yes']);
    expect(JSON.parse((await browser.get('/')).text)).toMatchObject({ views: 7 });
  });

  it('answers 503 with Retry-After while the store does not answer, and nobody is logged out', async () => {
    const site = await open(make);
    const browser = site.browser();
    await browser.post('/login?as=ada');
    site.backend.chaos.set({ throws: 1 });
    for (const path of ['/', '/view', '/stream']) {
      const { status, headers } = await browser.get(path);
      expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '1']);
    }
    expect((await browser.post('/logout')).status).toBe(503);
    site.backend.chaos.set({ throws: 0 });
    expect(JSON.parse((await browser.get('/')).text)).toMatchObject({ user: 'ada' });
  });

  it('answers a failed save with 503, and says nothing of what was to be said', async () => {
    const site = await open(make);
    site.backend.chaos.set({ throws: 1 });
    for (const path of ['/view', '/stream']) {
      const { status, headers, text } = await site.browser().get(path);
      expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '1']);
      expect(headers.get('x-before')).toBeNull();
      expect(headers.get('set-cookie')).toBeNull();
      expect(text).not.toMatch(/^(1|abc)$/);
    }
    const { status, headers } = await site.browser().post('/login?as=ada');
    expect([status, headers.get('retry-after'), headers.get('location')]).toEqual([503, '1', null]);
  });

  it('goes on with an anonymous session where it shall, and the cookie stays good', async () => {
    const site = await open(make, { onStoreError: 'anonymous' });
    const browser = site.browser();
    await browser.post('/login?as=ada');
    const jar = new Map(browser.jar);
    site.backend.chaos.set({ throws: 1 });
    expect(JSON.parse((await browser.get('/')).text)).not.toHaveProperty('user');
    expect((await browser.get('/view')).text).toBe('1');
    expect((await browser.post('/login?as=eve')).status).toBe(503);
    site.backend.chaos.set({ throws: 0 });
    expect(browser.jar).toEqual(jar);
    expect(JSON.parse((await browser.get('/')).text)).toEqual({ id: expect.any(String), user: 'ada' });
  });
});
