/** The sessions of visitors: what is in them, and what becomes of changes that two requests make at once. */

import type { Request } from 'express';
import type { BackendWith } from 'hotshelf';
import { login, sessions, type SessionsMiddleware, type SessionsOptions } from 'hotshelf/sessions';
import type { User } from './accounts.ts';
import { Problem } from './problem.ts';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    userName: string;
    /** Ids of cities. */
    favourites: number[];
    /** How many pages about a city were shown since the session began. */
    views: number;
  }
}

export interface Visitors {
  /** Gives a request its session, or the error 503 while the backend does not answer. */
  readonly known: SessionsMiddleware;
  /** Gives a request its session; while the backend does not answer, one that is not stored. */
  readonly welcome: SessionsMiddleware;
}

/** @param secrets sign the cookies; of several the first one signs, and all are accepted */
export function createVisitors(backend: BackendWith<'values'>, secrets: readonly string[]): Visitors {
  const options: SessionsOptions = {
    backend,
    secret: secrets,
    prefix: 'atlas.sess',
    ttl: '1d',
    absoluteTtl: '30d',
    ownerOf: ({ userId }) => userId,
    maxPerOwner: 20,
    // Two requests at once: both views count, and both favourites are kept.
    merge: { views: 'sum', favourites: 'union' },
  };
  return { known: sessions(options), welcome: sessions({ ...options, onStoreError: 'anonymous' }) };
}

/**
 * Logs a user in: a new id for the session, so that nobody knows it who knew the old one. What was collected before goes along,
 * unless it is somebody else's.
 */
export async function begin(request: Request, { id, name }: User): Promise<void> {
  const { userId = id, favourites = [], views = 0 } = request.session;
  const own = userId === id ? { favourites, views } : { favourites: [], views: 0 };
  await login(request, { userId: id, userName: name, ...own });
}

/** Returns who is logged in. */
export function userOf({ session: { userId, userName = '' } }: Request): User {
  if (userId !== undefined) return { id: userId, name: userName };
  // RFC 9110 section 15.5.2: an answer 401 says how to log in. No scheme is registered for a form and a cookie.
  throw new Problem(401, 'Nobody is logged in.', { 'WWW-Authenticate': 'Cookie' });
}

/** Counts a page where a session has begun: nobody gets a cookie for reading. */
export function countView({ session }: Request): void {
  if (session.views !== undefined) session.views += 1;
}
