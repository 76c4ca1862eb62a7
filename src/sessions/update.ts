/** Changes a stored session by a function that sees what is stored, again and again until nobody else changed it in between. */

import { untilWritten } from './attempts.ts';
import { cookieOf, textsIn } from './content.ts';
import type { Base } from './bases.ts';
import type { Sessions } from './core.ts';
import { Fields } from './fields.ts';
import { endOf } from './lifetime.ts';
import { changesSince, merged } from './merge.ts';
import { ownerIn } from './owners.ts';
import type { Found } from './record.ts';

/** Changes the fields of a session in place; called again when somebody else changed the session meanwhile. */
export type Mutate = (fields: Record<string, unknown>) => unknown;

/**
 * Returns `false` if the session is gone. `session`, the object of this request, then shows what is stored and keeps those of
 * its own changes that are not saved yet.
 */
export function update(sessions: Sessions, session: object, base: Base, mutate: Mutate): Promise<boolean> {
  const { clock } = sessions.settings;
  return untilWritten(clock, 'what updateSession() makes of a session', async () => {
    const { state } = await sessions.records.look(base.state.keys);
    if (state === undefined) return false;
    const values = state.found.record.fields.values();
    await mutate(values);
    const next = withFields(sessions, state.found, Fields.ofTexts(textsIn(values)), session);
    const listed = await sessions.owners.before(state.keys, state.found.record, next);
    const written = await sessions.records.replace(state, listed);
    if (written === undefined) return undefined;
    sessions.owners.after(state.keys, state.found.record, listed.record);
    const { fields: stored, cookie } = listed.record;
    show(session, base, stored);
    sessions.rebase(session, base.sid, { fields: stored, cookie }, written);
    return true;
  });
}

function withFields({ settings }: Sessions, found: Found, fields: Fields, session: object): Found {
  const now = settings.clock.now();
  const cookieEndsAt = cookieOf(session, now)?.endsAt;
  const expiresAt = endOf(settings, found.record.createdAt, cookieEndsAt, now);
  const owner = ownerIn(fields, found.record.owner, settings);
  return { ...found, record: { ...found.record, fields, owner }, writtenAt: now, expiresAt };
}

/** Makes `session` show `stored`, and over it what it changed since `base`. */
function show(session: object, base: Base, stored: Fields): void {
  const texts = textsIn(session);
  const own = changesSince(base.local, { texts, cookie: undefined });
  const shown = Fields.ofTexts(merged(stored.texts(), own, {})).values();
  for (const name of texts.keys()) if (!Object.hasOwn(shown, name)) Reflect.deleteProperty(session, name);
  for (const [name, value] of Object.entries(shown)) Reflect.set(session, name, value);
}
