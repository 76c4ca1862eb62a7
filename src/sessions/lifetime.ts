/** Decides how long a session lives, and whether a request that only read it must say that it is alive. Pure. */

export interface Lifetimes {
  /** How long a session lives without a request, where its cookie does not say it, in ms. */
  readonly ttlMs: number;
  /** How long it lives at most, whatever happens, in ms; `Infinity` for no such end. */
  readonly absoluteTtlMs: number;
  /** The share of its lifetime after which a request renews it: 0 for each request. */
  readonly touchEvery: number;
}

/** Returns when a session ends that is used now, in epoch ms; not after `now` if it is over. */
export function endOf(
  { ttlMs, absoluteTtlMs }: Lifetimes,
  createdAt: number,
  cookieEndsAt: number | undefined,
  now: number,
): number {
  return Math.min(cookieEndsAt ?? now + ttlMs, createdAt + absoluteTtlMs);
}

/** Tells whether a session that was last written at `writtenAt` to live until `expiresAt` is worth a renewal until `endsAt`. */
export function isDue(
  { touchEvery }: Lifetimes,
  { writtenAt, expiresAt }: { readonly writtenAt: number; readonly expiresAt: number },
  endsAt: number,
  now: number,
): boolean {
  return endsAt > expiresAt && now - writtenAt >= touchEvery * (endsAt - now);
}
