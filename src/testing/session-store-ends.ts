/** What the suite of session stores asks about the end of a session: by a request, by time, and by all at once. */

import assert from 'node:assert/strict';
import { change, expectGone, fieldsOf } from './session-store.ts';
import type { DefineSession, PromisedStore, StoredSession } from './session-store.ts';

export function defineEndCases(it: DefineSession): void {
  it('ends a session at once, for everybody', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }));
    await peer.load(id);
    await store.destroy(id);
    await expectGone(id, store, peer);
  });

  it('takes the end of a session that is not there for done', async ({ store, sid }) => {
    await store.destroy(sid());
  });

  it('never brings a session back that a slow request changes after its end', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }));
    const slow = await peer.load(id);
    await store.destroy(id);
    slow['a'] = 2;
    await peer.set(id, slow).catch(() => undefined);
    await expectGone(id, store, peer);
    slow['a'] = 3;
    await peer.set(id, slow).catch(() => undefined);
    await expectGone(id, store, peer);
  });

  it('never brings a session back that a slow request only read', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }));
    const slow = await peer.load(id);
    await store.destroy(id);
    if (peer.can.touch) await peer.touch(id, slow);
    await peer.set(id, slow).catch(() => undefined);
    await expectGone(id, store, peer);
  });

  it('never brings a session back that was new to the request that saved it', async ({ store, peer, sid, session }) => {
    const id = sid();
    const made = session({ a: 1 });
    await store.set(id, made);
    await peer.destroy(id);
    made['a'] = 2;
    await store.set(id, made).catch(() => undefined);
    await expectGone(id, store, peer);
  });

  it('lets a new session begin under an id that ended', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ old: 1 }));
    await store.destroy(id);
    await peer.set(id, session({ new: 1 }));
    assert.deepEqual(fieldsOf(await store.load(id)), { new: 1 });
  });

  it('ends all sessions, and slow requests bring none back', async ({ store, peer, sid, session }) => {
    if (!store.can.clear) return;
    const ids = Array.from({ length: 30 }, sid);
    await Promise.all(ids.map((id) => store.set(id, session({ a: 1 }))));
    const slow = await Promise.all(ids.map((id) => peer.load(id)));
    await store.clear();
    await Promise.all(slow.map((one, index) => peer.set(ids[index] ?? '', change(one)).catch(() => undefined)));
    for (const id of ids) await expectGone(id, store, peer);
    const next = sid();
    await peer.set(next, session({ b: 1 }));
    assert.deepEqual(fieldsOf(await store.load(next)), { b: 1 });
  });
}

export function defineListCases(it: DefineSession): void {
  it('lists the sessions that are alive, and counts them', async ({ store, peer, sid, session }) => {
    if ((await store.all()) === undefined) return;
    const [one, ended, other] = [sid(), sid(), sid()];
    for (const id of [one, ended, other]) await store.set(id, session({ mine: id }));
    await store.destroy(ended);
    const found = ((await peer.all()) ?? []).filter(({ mine }) => mine === one || mine === ended || mine === other);
    assert.deepEqual(found.map(({ mine }) => String(mine)).toSorted(), [one, other].toSorted());
    assert.deepEqual(
      found.map(({ cookie }) => cookie.originalMaxAge),
      [null, null],
    );
    const count = await peer.length();
    if (count !== undefined) assert.ok(count >= 2, `counted ${count} of 2 sessions`);
  });

  it('lists no session whose cookie has ended, and none after a clear', async (trial) => {
    const { store, sid, session, shortMs, wait } = trial;
    if ((await store.all()) === undefined) return;
    const [short, long] = [sid(), sid()];
    await store.set(short, session({ mine: short }, shortMs));
    await store.set(long, session({ mine: long }));
    await wait(shortMs + 10);
    const mineIn = async () =>
      ((await store.all()) ?? []).map(({ mine }) => mine).filter((mine) => mine === short || mine === long);
    assert.deepEqual(await mineIn(), [long]);
    if (!store.can.clear) return;
    await store.clear();
    assert.deepEqual(await mineIn(), []);
    assert.equal((await store.length()) ?? 0, 0);
  });
}

export function defineLifetimeCases(it: DefineSession): void {
  it('ends a session with its cookie, and not before', async ({ store, sid, session, shortMs, wait, now }) => {
    const id = sid();
    const storedAt = now();
    await store.set(id, session({ a: 1 }, shortMs));
    await expectEnd(store, id, storedAt + shortMs, now, wait);
  });

  it('lets a touched session live on', async ({ store, peer, sid, session, shortMs, wait, now }) => {
    if (!store.can.touch) return;
    const id = sid();
    await store.set(id, session({ a: 1 }, 3 * shortMs));
    const end = now() + 3 * shortMs;
    await wait(shortMs / 2);
    const loaded = await peer.load(id);
    await peer.touch(id, renewed(loaded, now() + 7 * shortMs, 7 * shortMs));
    while (now() <= end + shortMs / 4) await wait(shortMs / 4);
    assert.deepEqual(fieldsOf(await store.load(id)), { a: 1 });
  });

  it('lets a changed session live on', async ({ store, peer, sid, session, shortMs, wait, now }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }, 3 * shortMs));
    const end = now() + 3 * shortMs;
    await wait(shortMs / 2);
    const loaded = await peer.load(id);
    loaded['a'] = 2;
    await peer.set(id, renewed(loaded, now() + 7 * shortMs, 7 * shortMs));
    while (now() <= end + shortMs / 4) await wait(shortMs / 4);
    assert.deepEqual(fieldsOf(await store.load(id)), { a: 2 });
  });

  it('says in the cookie when the session ends', async ({ store, sid, session, wait, now }) => {
    const id = sid();
    const storedAt = now();
    await store.set(id, session({ a: 1 }, 60_000));
    const laterAt = now();
    await wait(50);
    const { cookie } = await store.load(id);
    const endsAt = new Date(cookie.expires ?? 0).getTime();
    assert.equal(cookie.originalMaxAge, 60_000);
    assert.ok(endsAt >= storedAt + 59_990 && endsAt <= laterAt + 60_010, `it ends at ${endsAt - storedAt} ms`);
  });

  it('says after a touch when the session ends now', async ({ store, sid, session, wait, now }) => {
    if (!store.can.touch) return;
    const id = sid();
    await store.set(id, session({ a: 1 }, 60_000));
    await wait(100);
    const touchedAt = now();
    await store.touch(id, renewed(await store.load(id), touchedAt + 60_000, 60_000));
    const { cookie } = await store.load(id);
    const endsAt = new Date(cookie.expires ?? 0).getTime();
    assert.ok(Math.abs(endsAt - touchedAt - 60_000) <= 50, `it ends ${endsAt - touchedAt} ms after the touch`);
  });

  it('gives a cookie that ends with the browser no end', async ({ store, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }));
    const { cookie } = await store.load(id);
    assert.equal(cookie.originalMaxAge ?? null, null);
    assert.equal(cookie.expires ?? null, null);
  });

  it('never brings a session back whose time is over', async ({ store, peer, sid, session, shortMs, wait, now }) => {
    const id = sid();
    const storedAt = now();
    await store.set(id, session({ a: 1 }, shortMs));
    const slow = await peer.load(id);
    await expectEnd(store, id, storedAt + shortMs, now, wait);
    slow['a'] = 2;
    await peer.set(id, renewed(slow, now() + 60_000, 60_000)).catch(() => undefined);
    await expectGone(id, store, peer);
  });

  it('takes a cookie that is over for the end of the session', async ({ store, sid, session, now }) => {
    const id = sid();
    await store.set(id, session({ a: 1 }));
    const loaded = await store.load(id);
    await store.set(id, change(renewed(loaded, now() - 1000, 1000)));
    await expectGone(id, store);
  });
}

/** The session with the cookie that express-session would give it now. */
function renewed(session: StoredSession, endsAt: number, maxAge: number): StoredSession {
  session.cookie = { ...session.cookie, originalMaxAge: maxAge, expires: new Date(endsAt) };
  return session;
}

/** How late a session may go, as values may, and how exact timers are. */
const lateMs = 2000;
const slackMs = 5;

async function expectEnd(
  store: PromisedStore,
  id: string,
  endsAt: number,
  now: () => number,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    const askedAt = now();
    const isThere = (await store.get(id)) !== undefined;
    if (!isThere) break;
    assert.ok(askedAt <= endsAt + lateMs, `the session is still there ${askedAt - endsAt} ms after its end`);
    await wait(10);
  }
  assert.ok(now() >= endsAt - slackMs, `the session ended ${endsAt - now()} ms too early`);
}
