/** The conformance suite of session stores: what express-session's own documentation says, and what keeps sessions whole. */

import assert from 'node:assert/strict';
import { change, collectCases, expectGone, fieldsOf } from './session-store.ts';
import type { DefineSession, SessionStoreSuiteOptions } from './session-store.ts';
import { defineEndCases, defineLifetimeCases, defineListCases } from './session-store-ends.ts';
import type { ConformanceCase } from './suite.ts';

/**
 * Returns the cases that a store of express-session must pass to lose nothing, for whatever runs tests. A change is what an
 * object that came from `get` has changed when it is given to `set`.
 *
 * @example
 * for (const { name, run } of sessionStoreSuite({ create })) it(name, run);
 */
export function sessionStoreSuite(options: SessionStoreSuiteOptions): readonly ConformanceCase[] {
  return collectCases(options, (it) => {
    defineStorageCases(it);
    defineConcurrencyCases(it);
    defineEndCases(it);
    defineLifetimeCases(it);
    defineListCases(it);
  });
}

const contents: Record<string, unknown> = {
  text: 'gr\u00fc\u00df \u{1f36a} "\\\n\u0000',
  number: -1.5e-7,
  yes: true,
  nothing: null,
  list: [1, [2, { deep: [] }], ''],
  object: { a: { b: { c: 1 } }, $date: 0 },
  'a name with spaces': 1,
  constructor: { prototype: 1 },
};

function defineStorageCases(it: DefineSession): void {
  it('returns nothing for an id that was never stored', async ({ store, sid }) => {
    await expectGone(sid(), store);
  });

  it('returns what was stored, to another process too', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session(contents));
    assert.deepEqual(fieldsOf(await store.load(id)), contents);
    assert.deepEqual(fieldsOf(await peer.load(id)), contents);
  });

  it('keeps a field called __proto__ a field', async ({ store, sid, session }) => {
    const id = sid();
    await store.set(id, session(JSON.parse('{"a": {"__proto__": {"isAdmin": true}}}') as Record<string, unknown>));
    const { a } = await store.load(id);
    assert.equal(JSON.stringify(a), '{"__proto__":{"isAdmin":true}}');
    assert.equal(Reflect.get(Object(a), 'isAdmin'), undefined);
  });

  it('tells sessions apart, whatever their ids are', async ({ store, sid, session }) => {
    const start = sid();
    const ids = [
      start,
      `${start} `,
      `${start}\r\nget x`,
      `${start}\u00e9`,
      `${start}${'x'.repeat(400)}`,
      `${start}{a}`,
    ];
    for (const [index, id] of ids.entries()) await store.set(id, session({ index }));
    for (const [index, id] of ids.entries()) assert.equal((await store.load(id))['index'], index);
  });

  it('stores changes and forgets what was deleted', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1, b: { c: [1] } }));
    const loaded = await store.load(id);
    delete loaded['a'];
    loaded['b'] = { c: [1, 2] };
    loaded['d'] = 'new';
    await store.set(id, loaded);
    assert.deepEqual(fieldsOf(await peer.load(id)), { b: { c: [1, 2] }, d: 'new' });
  });

  it('stores what the object held when it was given', async ({ store, sid, session }) => {
    const id = sid();
    const given = session({ list: [1] });
    const stored = store.set(id, given);
    given['list'] = 'later';
    await stored;
    assert.deepEqual(fieldsOf(await store.load(id)), { list: [1] });
  });

  it('gives each caller an object of its own', async ({ store, sid, session }) => {
    const id = sid();
    await store.set(id, session({ list: [1] }));
    const mine = await store.load(id);
    (mine['list'] as number[]).push(2);
    assert.deepEqual(fieldsOf(await store.load(id)), { list: [1] });
  });

  it('calls each callback once, and never at once', async ({ store, sid, session, wait }) => {
    const id = sid();
    await store.set(id, session({}));
    const loaded = await store.load(id);
    if (store.can.touch) await store.touch(id, loaded);
    await store.set(id, { ...loaded, a: 1 });
    await store.destroy(id);
    await store.get(id);
    await store.destroy(id);
    await wait(20);
    assert.deepEqual(store.misbehaved, { twice: 0, early: 0 });
  });
}

function defineConcurrencyCases(it: DefineSession): void {
  it('keeps the fields of 20 requests that change the session at once', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({}));
    const requests = Array.from({ length: 20 }, async (_, index) => {
      const own = index % 2 === 0 ? store : peer;
      const loaded = await own.load(id);
      return async () => {
        loaded[`field${index}`] = index;
        await own.set(id, loaded);
      };
    });
    const saves = await Promise.all(requests);
    await Promise.all(saves.map((save) => save()));
    const expected = Object.fromEntries(saves.map((_, index) => [`field${index}`, index]));
    assert.deepEqual(fieldsOf(await store.load(id)), expected);
  });

  it('keeps the last of two values of one field, and never a mixture', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: { from: 'nobody' } }));
    const [mine, theirs] = await Promise.all([store.load(id), peer.load(id)]);
    mine['a'] = { mine: 1 };
    theirs['a'] = { theirs: 1 };
    await store.set(id, mine);
    await peer.set(id, theirs);
    assert.deepEqual(fieldsOf(await store.load(id)), { a: { theirs: 1 } });
  });

  it('does not write back what a request only read', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1, b: 1 }));
    const [slow, quick] = await Promise.all([store.load(id), peer.load(id)]);
    quick['a'] = 2;
    await peer.set(id, quick);
    if (store.can.touch) await store.touch(id, slow);
    slow['b'] = 2;
    await store.set(id, slow);
    assert.deepEqual(fieldsOf(await peer.load(id)), { a: 2, b: 2 });
  });

  it('does not write back at a second save what others changed after the first', async (trial) => {
    const { store, peer, sid, session } = trial;
    const id = sid();
    await store.set(id, session({ a: 1, b: 1 }));
    const mine = await store.load(id);
    mine['b'] = 2;
    await store.set(id, mine);
    const theirs = await peer.load(id);
    theirs['a'] = 2;
    await peer.set(id, theirs);
    mine['b'] = 3;
    await store.set(id, mine);
    assert.deepEqual(fieldsOf(await peer.load(id)), { a: 2, b: 3 });
  });

  it('keeps a deletion apart from a change of another field', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({ a: 1, b: 1 }));
    const [mine, theirs] = await Promise.all([store.load(id), peer.load(id)]);
    delete mine['a'];
    theirs['b'] = 2;
    await Promise.all([store.set(id, mine), peer.set(id, theirs)]);
    assert.deepEqual(fieldsOf(await store.load(id)), { b: 2 });
  });

  it('replaces the cookie as a whole', async ({ store, peer, sid, session }) => {
    const id = sid();
    await store.set(id, session({}));
    const [mine, theirs] = await Promise.all([store.load(id), peer.load(id)]);
    mine.cookie = { originalMaxAge: null, expires: null, path: '/mine', secure: true };
    theirs.cookie = { originalMaxAge: null, expires: null, path: '/theirs', sameSite: 'lax' };
    await store.set(id, change(mine));
    await peer.set(id, change(theirs));
    const { cookie } = await store.load(id);
    assert.equal(cookie['path'], '/theirs');
    assert.equal(cookie['secure'], undefined);
  });
}
