/** What a cache tells about itself while it works. */

import type { HotshelfError } from '../support/errors.ts';

/**
 * One thing that happened. `cache` is the name of the namespace. `key` is the full key; values never appear.
 *
 * - `hit`, `miss`: a read found, or did not find, an entry that it could use.
 * - `load`: the origin answered, after `ms`; `failed` tells that the loader threw.
 * - `refused`: a loaded value was not stored, because the key was invalidated or taken over while it was loading.
 * - `bypass`: a read went to the origin without the cache, and why.
 * - `unusable`: bytes under a key were not used: written by somebody else, corrupt, or under another key.
 * - `uncacheable`: a loaded value was handed out and not stored; `error` says why.
 * - `unconfirmed`: the backend did not confirm an invalidation; it is repeated until it does.
 * - `confirmed`: all that was unconfirmed is confirmed now.
 * - `failed`: a command of the cache itself failed in the background; nothing is wrong but the hit ratio.
 */
export type CacheEvent =
  | { readonly type: 'hit' | 'miss' | 'refused'; readonly cache: string; readonly key: string }
  | {
      readonly type: 'load';
      readonly cache: string;
      readonly key: string;
      readonly ms: number;
      readonly failed: boolean;
    }
  | { readonly type: 'bypass'; readonly cache: string; readonly key: string; readonly reason: BypassReason }
  | { readonly type: 'unusable'; readonly cache: string; readonly key: string; readonly reason: string }
  | {
      readonly type: 'uncacheable' | 'failed';
      readonly cache: string;
      readonly key: string;
      readonly error: HotshelfError;
    }
  | { readonly type: 'unconfirmed'; readonly cache: string; readonly keys: number; readonly error: HotshelfError }
  | { readonly type: 'confirmed'; readonly cache: string };

/**
 * Why a read went past the cache: `backend` did not answer, a `mutation` of the key is going on, an invalidation of it is
 * still `unconfirmed`, the cache is `closed`, or the key was `contended` for too long.
 */
export type BypassReason = 'backend' | 'mutation' | 'unconfirmed' | 'closed' | 'contended';
