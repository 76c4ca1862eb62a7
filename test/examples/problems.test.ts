import request from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { createSite, paris, type Site } from './site.ts';

describe('what the atlas says when something is wrong', () => {
  let database: Database;
  let site: Site;
  beforeAll(async () => {
    database = await openSqlite({ limit: 500 });
  });
  afterAll(() => database.close());
  beforeEach(() => {
    site = createSite(database);
  });
  afterEach(() => site.close());

  const path = `/cities/${paris}`;
  const patch = () => request(site.first.app).patch(path);

  it('is a problem that names its status and its place', async () => {
    const { status, body, type } = await request(site.first.app).get('/cities/x?y=1');
    expect(status).toBe(400);
    expect(type).toBe('application/problem+json');
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'The id of a city is a whole number from 1 to 2147483647.',
      instance: '/cities/x?y=1',
    });
  });

  it('is 404 for an unknown route, and has no body for HEAD', async () => {
    const { status, body, type } = await request(site.first.app).get('/nowhere');
    expect(status).toBe(404);
    expect(type).toBe('application/problem+json');
    expect(body.title).toBe('Not Found');
    const head = await request(site.first.app).head('/nowhere');
    expect(head.status).toBe(404);
    expect(head.text ?? '').toBe('');
  });

  it.each([
    ['delete', path, 'GET, HEAD, PATCH'],
    ['post', '/countries/FR/cities', 'GET, HEAD'],
    ['put', '/stats', 'GET, HEAD'],
  ] as const)('is 405 with the allowed methods for %s %s', async (method, path, allowed) => {
    const { status, headers } = await request(site.first.app)[method](path);
    expect(status).toBe(405);
    expect(headers['allow']).toBe(allowed);
  });

  it('is no problem to ask for the methods', async () => {
    const { status, headers } = await request(site.first.app).options(path);
    expect(status).toBe(204);
    expect(headers['allow']).toBe('GET, HEAD, PATCH');
  });

  it('is 400 for JSON that is none', async () => {
    const { status, body } = await patch().type('json').send('{"name":');
    expect(status).toBe(400);
    expect(body.detail).toBe('The body is not valid JSON.');
  });

  it('is 400 without a body', async () => {
    expect((await patch()).status).toBe(400);
  });

  it('is 413 for a large body', async () => {
    const { status, type } = await patch().send({ name: 'x'.repeat(5000) });
    expect(status).toBe(413);
    expect(type).toBe('application/problem+json');
  });

  it('is 415 for another type of body', async () => {
    expect((await patch().type('text/plain').send('name=Lutetia')).status).toBe(415);
  });

  it('is 400 for a path that is not UTF-8', async () => {
    expect((await request(site.first.app).get('/cities/%ff')).status).toBe(400);
  });

  it('is 500 without what happened, which goes to the log', async () => {
    const broken: Database = {
      ...database,
      query: async () => {
        throw new Error('password "s3cret" is wrong');
      },
    };
    const failing = createSite(broken);
    const { status, text, body, type } = await request(failing.first.app).get(path);
    expect(status).toBe(500);
    expect(type).toBe('application/problem+json');
    expect(body).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500, instance: path });
    expect(text).not.toContain('s3cret');
    expect(String(failing.reported)).toContain('s3cret');
    await failing.close();
  });
});
