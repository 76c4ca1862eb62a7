/** Lists what a session store tells about itself while it works. */

import type { HotshelfError } from '../support/errors.ts';

/**
 * One thing that happened. `id` is a digest of the session's id: it tells sessions apart, and is no cookie.
 *
 * - `unusable`: what stood under the key of a session was no session: foreign, corrupt, or of another key. It counts as absent.
 * - `merged`: the session was changed by others meanwhile; after so many attempts the changes of both are stored.
 * - `discarded`: changes were not stored, because the session is `gone` (destroyed, regenerated, expired), or because the
 *   request was `anonymous` while the backend did not answer.
 * - `anonymous`: the session could not be loaded, and the request goes on without one: `onStoreError: 'anonymous'`.
 * - `evicted`: the owner has a newer session and `maxPerOwner` allows no more.
 * - `failed`: something behind a request failed and nothing was lost by it: a renewal, or the list of an owner.
 */
export type SessionEvent = { readonly id: string } & (
  | { readonly type: 'unusable'; readonly reason: string }
  | { readonly type: 'merged'; readonly attempts: number }
  | { readonly type: 'discarded'; readonly reason: 'gone' | 'anonymous' }
  | { readonly type: 'anonymous' | 'failed'; readonly error: HotshelfError }
  | { readonly type: 'evicted' }
);
