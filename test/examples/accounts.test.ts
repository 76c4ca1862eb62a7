import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Deferred, deferred, until } from '../kit/wait.ts';
import { type Place, places } from './places.ts';
import { createSite, nice, paris, suva } from './site.ts';
import { newName, openSite, type OpenSite, password, type Visitor } from './visitor.ts';

describe.each(Object.entries(places))('who visits the atlas on %s', (_name, open) => {
  let place: Place;
  let site: OpenSite;
  let visitor: Visitor;
  /** Holds what asks for a city while it is there. */
  let gate: Deferred<void> | undefined;
  let held = 0;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    const beforeQuery = async () => {
      held += 1;
      await gate?.promise;
    };
    site = await openSite(createSite(place.database, { ...(await place.cold()), beforeQuery }));
    visitor = site.visitor();
  });
  afterEach(async () => {
    gate = undefined;
    await site.close();
  });

  const signedUp = async (name: string): Promise<Visitor> => {
    const made = site.visitor();
    expect(await made.signUp(name)).toMatchObject({ status: 201, body: { user: { name } } });
    return made;
  };
  const me = async (someone: Visitor) => (await someone.get('/me')).body;
  const favouritesOf = async (someone: Visitor): Promise<number[]> =>
    ((await someone.get('/favourites')).body['cities'] as { id: number }[]).map(({ id }) => id);

  it('is logged in on all instances once he has signed up', async () => {
    const name = newName();
    const { body } = await visitor.signUp(name);
    const replies = [await visitor.get('/me'), await visitor.get('/me')];
    for (const reply of replies) {
      expect(reply).toMatchObject({ status: 200, body: { user: body['user'], favourites: [], views: 0 } });
      expect(reply.headers.get('Cache-Control')).toBe('no-store');
    }
    expect(new Set(replies.map(({ headers }) => headers.get('X-Instance')))).toEqual(new Set(['1', '2']));
  });

  it('logs in with his password alone, in capitals or not', async () => {
    const name = newName();
    await signedUp(name);
    expect((await visitor.logIn(name.toUpperCase())).status).toBe(200);
    expect(await me(visitor)).toMatchObject({ user: { name } });
    const wrong = await site.visitor().send('POST', '/login', { name, password: `${password}!` });
    const nobody = await site.visitor().logIn('nobody-of-that-name');
    for (const { status, headers, body } of [wrong, nobody]) {
      expect(status).toBe(401);
      expect(headers.get('WWW-Authenticate')).toBe('Cookie');
      expect(headers.getSetCookie()).toEqual([]);
      expect(body).toMatchObject({ status: 401, detail: 'The name or the password is wrong.' });
    }
  });

  it('shares his name with nobody, also when two sign up at once', async () => {
    const name = newName();
    const replies = await Promise.all([site.visitor(), site.visitor()].map((one) => one.signUp(name)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect((await visitor.signUp(name.toUpperCase())).body).toMatchObject({
      status: 409,
      detail: `Somebody is called ${name} already.`,
    });
    expect((await visitor.get('/me')).status).toBe(401);
  });

  it('gets no cookie for reading', async () => {
    await visitor.get(`/cities/${paris}`);
    await visitor.get('/favourites');
    expect((await visitor.get('/me')).status).toBe(401);
    expect(visitor.cookie).toBe('');
  });

  it('has favourites and a count of pages before he logs in, and keeps them then, under a new id', async () => {
    expect((await visitor.send('PUT', `/favourites/${nice}`)).status).toBe(204);
    await visitor.get(`/cities/${nice}`);
    const before = visitor.copy();
    const name = newName();
    await visitor.signUp(name);
    expect(visitor.cookie).not.toBe(before.cookie);
    expect(await me(visitor)).toMatchObject({ user: { name }, favourites: [nice], views: 1 });
    expect(await favouritesOf(visitor)).toEqual([nice]);
    for (const _instance of ['one', 'the other']) expect(await favouritesOf(before)).toEqual([]);
  });

  it('finds nothing of somebody else who was logged in before on this device', async () => {
    const [ada, bob] = [newName(), newName()];
    await signedUp(bob);
    const device = await signedUp(ada);
    await device.send('PUT', `/favourites/${nice}`);
    await device.logIn(bob);
    expect(await me(device)).toMatchObject({ user: { name: bob }, favourites: [], views: 0 });
  });

  it('keeps all favourites and all views of requests that run at once', async () => {
    const device = await signedUp(newName());
    const rows = await place.database.query<{ id: number }>('select id from atlas_city order by id limit 10');
    const ids = rows.map(({ id }) => id);
    const [kept, seen] = [ids.slice(0, 5), ids.slice(5)];
    [gate, held] = [deferred(), 0];
    const requests = [
      ...kept.map((id) => device.copy().send('PUT', `/favourites/${id}`)),
      ...seen.map((id) => device.copy().get(`/cities/${id}`)),
    ];
    // By then each of them has loaded the session, and none has changed it.
    await until(() => held === requests.length, { what: 'all requests to ask the database' });
    gate.resolve();
    expect((await Promise.all(requests)).every(({ status }) => status === 204 || status === 200)).toBe(true);
    const { favourites, views } = await me(device);
    expect(favourites).toHaveLength(kept.length);
    expect(new Set(favourites as number[])).toEqual(new Set(kept));
    expect(views).toBe(seen.length);
  });

  it('takes a favourite off, and no city that is none on', async () => {
    for (const id of [suva, nice, suva]) await visitor.send('PUT', `/favourites/${id}`);
    expect(await favouritesOf(visitor)).toEqual([suva, nice]);
    expect((await visitor.send('DELETE', `/favourites/${suva}`)).status).toBe(204);
    expect((await visitor.send('DELETE', `/favourites/${suva}`)).status).toBe(204);
    expect((await visitor.send('PUT', '/favourites/1')).status).toBe(404);
    expect((await visitor.send('PUT', '/favourites/nice')).status).toBe(400);
    expect(await favouritesOf(visitor)).toEqual([nice]);
  });

  it('is logged out for everybody who has the cookie', async () => {
    const device = await signedUp(newName());
    const thief = device.copy();
    expect((await device.send('POST', '/logout')).status).toBe(204);
    for (const one of [device, thief, device, thief]) expect((await one.get('/me')).status).toBe(401);
    expect((await device.send('POST', '/logout')).status).toBe(204);
  });

  it('sees his devices, and logs out on all of them', async () => {
    const name = newName();
    const phone = await signedUp(name);
    const stranger = await signedUp(newName());
    await visitor.logIn(name);
    await visitor.get(`/cities/${paris}`);
    const { sessions } = (await visitor.get('/me/sessions')).body as { sessions: Record<string, unknown>[] };
    expect(sessions).toHaveLength(2);
    expect(sessions).toContainEqual(expect.objectContaining({ current: true, views: 1 }));
    expect(sessions).toContainEqual(expect.objectContaining({ current: false, views: 0 }));
    for (const { id, createdAt, expiresAt } of sessions) {
      expect(visitor.cookie).not.toContain(String(id));
      expect(Date.parse(String(expiresAt)) - Date.parse(String(createdAt))).toBeGreaterThan(86_000_000);
    }
    expect((await phone.send('POST', '/logout/everywhere')).body).toEqual({ ended: 2 });
    for (const one of [phone, visitor, phone, visitor]) expect((await one.get('/me')).status).toBe(401);
    expect((await stranger.get('/me')).status).toBe(200);
    expect((await phone.send('POST', '/logout/everywhere')).status).toBe(401);
  });
});
