/** What a cache tells about itself while it works. */

import type { HotshelfError } from '../support/errors.ts';

interface About {
  /** The name of the namespace. */
  readonly cache: string;
}

interface AboutKey extends About {
  /** The full key; values never appear. */
  readonly key: string;
}

/**
 * One thing that happened.
 *
 * - `hit`: a read was answered from a fresh entry, of the local tier or of the backend.
 * - `stale`: a read was answered from a stale entry within its grace, and why.
 * - `miss`: a read found no entry that it could use, and this process loads.
 * - `refresh`: an entry is being loaded again behind its readers.
 * - `load`: the origin answered after `ms`, or the loader failed with `error`.
 * - `refused`: a loaded value was not stored, because the key or a tag was invalidated or taken over while it was loading.
 * - `bypass`: a read went to the origin without the cache, and why.
 * - `unusable`: bytes under a key were not used: written by somebody else, corrupt, or under another key.
 * - `uncacheable`: a loaded value was handed out and not stored; `error` says why.
 * - `invalidate`: keys, tags or a namespace were invalidated through this cache, and the backend confirmed it.
 * - `unconfirmed`: the backend did not confirm an invalidation; it is repeated until it does.
 * - `confirmed`: all that was unconfirmed is confirmed now.
 * - `inconsistent`: a hit, verified behind its reader, was not what the origin says, twice; it was `ageMs` old.
 * - `gap`: the local tier could not hear of changes and dropped everything, or hears of them again.
 * - `failed`: a command of the cache itself failed in the background; nothing is wrong but the hit ratio.
 */
export type CacheEvent =
  | (AboutKey & { readonly type: 'hit'; readonly tier: Tier })
  | (AboutKey & { readonly type: 'miss' | 'refused' })
  | (AboutKey & { readonly type: 'stale'; readonly reason: StaleReason; readonly ageMs: number })
  | (AboutKey & { readonly type: 'refresh'; readonly reason: RefreshReason })
  | (AboutKey & {
      readonly type: 'load';
      readonly ms: number;
      readonly failed: boolean;
      /** True where no caller waits for it. */
      readonly behind: boolean;
      /** What the loader threw. */
      readonly error?: unknown;
    })
  | (AboutKey & { readonly type: 'bypass'; readonly reason: BypassReason })
  | (AboutKey & { readonly type: 'unusable'; readonly reason: string })
  | (AboutKey & { readonly type: 'uncacheable' | 'failed'; readonly error: HotshelfError })
  | (AboutKey & { readonly type: 'inconsistent'; readonly ageMs: number })
  | (About & { readonly type: 'invalidate'; readonly keys: number; readonly tags: number; readonly cleared: boolean })
  | (About & { readonly type: 'unconfirmed'; readonly keys: number; readonly error: HotshelfError })
  | (About & { readonly type: 'confirmed' })
  | (About & { readonly type: 'gap'; readonly state: 'lost' | 'restored' });

/** Where an entry was found: in this process, or in the backend. In a memory backend both are one, and it is `local`. */
export type Tier = 'local' | 'remote';

/**
 * Why a read went past the cache: `backend` did not answer, a `mutation` of the key is going on, an invalidation of it is
 * still `unconfirmed`, the cache is `closed`, or the key was `contended` for too long.
 */
export type BypassReason = 'backend' | 'mutation' | 'unconfirmed' | 'closed' | 'contended';

/**
 * Why a stale entry was good enough: it is `refreshing` behind the reader, the `load failed`, or the `load slow`: it took longer
 * than `timeout.soft` and goes on behind.
 */
export type StaleReason = 'refreshing' | 'load failed' | 'load slow';

/** Why an entry is loaded again behind: `early`, before its ttl ended; `stale`, after it; or to `verify` that a hit is true. */
export type RefreshReason = 'early' | 'stale' | 'verify';
