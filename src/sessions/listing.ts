/** Goes through all sessions that are alive, where the backend knows its keys. */

import { HotshelfError } from '../support/errors.ts';
import { objectOf, type SessionObject, type Sessions } from './core.ts';
import type { State } from './state.ts';

/** So many sessions travel together: the answer must come within the deadline, however large they are. */
const perTrip = 64;

export interface ListedSession extends SessionObject {
  id: string;
}

/** Returns the sessions as objects, each with an `id` to end it by; what is changed in them can be saved under it. */
export async function allSessions(sessions: Sessions): Promise<ListedSession[]> {
  const all: ListedSession[] = [];
  for await (const portion of living(sessions, 'all()')) {
    for (const state of portion) {
      const { fields, cookie } = state.found.record;
      const id = sessions.keys.callOf(state.keys);
      const session = Object.assign(objectOf(state.found), { id });
      // The id is none of its fields, and must not look like one that was added.
      sessions.rebase(session, id, { fields: fields.with('id', id), cookie }, state);
      all.push(session);
    }
  }
  return all;
}

export async function allIds(sessions: Sessions): Promise<string[]> {
  const all: string[] = [];
  for await (const portion of living(sessions, 'ids()')) {
    for (const { keys } of portion) all.push(sessions.keys.callOf(keys));
  }
  return all;
}

export async function countSessions(sessions: Sessions): Promise<number> {
  let count = 0;
  for await (const portion of living(sessions, 'length()')) count += portion.length;
  return count;
}

async function* living(
  { settings: { values, backendName }, keys, records }: Sessions,
  where: string,
): AsyncGenerator<readonly State[], void, undefined> {
  if (values.list === undefined) {
    throw new HotshelfError(
      'FACET_MISSING',
      `The ${backendName} adapter cannot list its keys, which ${where} of a SessionStore needs. Use the redis or the memory adapter, or listByOwner() for the sessions of one user.`,
    );
  }
  for await (const names of values.list(keys.start)) {
    const places = names.flatMap((name) => keys.in(name) ?? []);
    for (let from = 0; from < places.length; from += perTrip) {
      const some = places.slice(from, from + perTrip);
      const sights = await records.lookAtAll(some);
      yield sights.flatMap(({ state }) => state ?? []);
    }
  }
}
