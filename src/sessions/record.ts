/** Says what is stored of a session. Pure. */

import { type CookieSettings, type Fields, isObject } from './content.ts';
import type { Stamp } from './format.ts';

export interface SessionRecord {
  readonly fields: Fields;
  readonly cookie: CookieSettings | undefined;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Whose session it is, if anybody's. */
  readonly owner: string | undefined;
  /** Until when the list of the owner's sessions surely lives, in epoch ms: a session must not outlive it. */
  readonly listedUntil: number;
}

/** A record that is stored, or about to be. */
export interface Found extends Stamp {
  readonly record: SessionRecord;
}

/** Returns what a codec gets. */
export function valueOf({ fields, cookie, createdAt, owner, listedUntil }: SessionRecord): unknown {
  return {
    fields: Object.fromEntries(fields),
    ...(cookie !== undefined && { cookie }),
    createdAt,
    ...(owner !== undefined && { owner, listedUntil }),
  };
}

/** Returns the record that `valueOf` was given; `undefined` if it was none. */
export function recordIn(value: unknown): SessionRecord | undefined {
  if (!isObject(value)) return undefined;
  const { fields, cookie, createdAt, owner, listedUntil } = value;
  if (!isObject(fields) || typeof createdAt !== 'number') return undefined;
  if (cookie !== undefined && !isObject(cookie)) return undefined;
  if (owner !== undefined && typeof owner !== 'string') return undefined;
  return {
    fields: new Map(Object.entries(fields)),
    cookie: cookie && {
      ...cookie,
      originalMaxAge: typeof cookie.originalMaxAge === 'number' ? cookie.originalMaxAge : null,
    },
    createdAt,
    owner,
    listedUntil: typeof listedUntil === 'number' ? listedUntil : 0,
  };
}
