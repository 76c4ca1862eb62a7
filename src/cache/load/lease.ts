/** The right to load a key, for one process in the fleet: taken, kept alive, and given up for an entry or for nothing. */

import type { Version } from '../../backend/values.ts';
import { seal } from '../../codec/envelope.ts';
import type { Halves } from '../../support/hash64.ts';
import type { Timer } from '../../support/clock.ts';
import { isUnconfirmed } from '../../support/errors.ts';
import type { Shelf } from '../shelf.ts';
import type { Tick } from '../tags/stamp.ts';

/** The backend forgets a lease after this, in ms, if nobody took it over before. */
const leaseTtlMs = 5000;
/** A loader that lives shows it this often, in ms, by giving its lease a new version. */
const heartbeatMs = 100;
/** A lease that shows no new version for this long, in ms, belongs to nobody and may be taken over. */
export const silenceMs = 400;

/** What a lease needs to know of the key. */
export interface LeaseSite {
  /** Where the marker stands. */
  readonly key: string;
  readonly scope: Halves;
  readonly token: string;
  /** Tags that end the load when they are invalidated, and the instant before it began. */
  readonly tags: readonly string[];
  readonly at: Tick;
  /** The entry that is to be replaced, where it stays readable during the load: the marker then stands under a side key. */
  readonly target?: { readonly key: string; readonly version: Version };
}

/**
 * A marker under the key itself. Its version is the lease: whoever replaces or deletes the marker, by invalidating the key or
 * by taking the load over, thereby takes the right to fill away.
 *
 * To refresh an entry, the marker stands under a side key and only keeps others from doing the same; the right to fill is then
 * the version of the entry itself, which an invalidation takes away likewise.
 *
 * The idea of leases is from Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013), section 3.2.1.
 */
export class Lease {
  readonly #shelf: Shelf;
  readonly #site: LeaseSite;
  #version: Version | undefined;
  #timer: Timer | undefined;
  #renewal: Promise<void> | undefined;

  private constructor(shelf: Shelf, site: LeaseSite, version: Version) {
    this.#shelf = shelf;
    this.#site = site;
    this.#version = version;
    this.#scheduleRenewal();
  }

  /**
   * Puts the marker where nothing is, or in the place of the state that `over` names.
   * Returns `undefined` if somebody else was faster. Rejects as the backend does.
   */
  static async take(shelf: Shelf, site: LeaseSite, over: Version | undefined): Promise<Lease | undefined> {
    const { values } = shelf;
    const marker = sealMarker(site);
    shelf.ownTokens.add(site.token);
    try {
      const version =
        over === undefined
          ? await values.add(site.key, marker, leaseTtlMs)
          : await values.cas(site.key, over, marker, leaseTtlMs);
      if (version !== undefined) return new Lease(shelf, site, version);
      shelf.ownTokens.delete(site.token);
      return undefined;
    } catch (error) {
      shelf.ownTokens.delete(site.token);
      throw error;
    }
  }

  /** Replaces the marker by an entry; `false` if the lease was lost, and then nothing is stored. */
  async fill(entry: Uint8Array, ttlMs: number): Promise<boolean> {
    const version = await this.#end();
    if (version === undefined) return false;
    const { values } = this.#shelf;
    const { key, target } = this.#site;
    try {
      if (target === undefined) return (await values.cas(key, version, entry, ttlMs)) !== undefined;
      const filled = await values.cas(target.key, target.version, entry, ttlMs);
      await values.deleteIf(key, version);
      return filled !== undefined;
    } finally {
      this.#shelf.ownTokens.delete(this.#site.token);
    }
  }

  /** Deletes the entry that was to be refreshed, and gives the right to load back. */
  async discard(): Promise<void> {
    const { target } = this.#site;
    if (target !== undefined) await this.#shelf.values.deleteIf(target.key, target.version);
    await this.release();
  }

  /** Gives the right to load back, so that the next reader need not wait. */
  async release(): Promise<void> {
    const version = await this.#end();
    if (version === undefined) return;
    try {
      await this.#shelf.values.deleteIf(this.#site.key, version);
    } finally {
      this.#shelf.ownTokens.delete(this.#site.token);
    }
  }

  /** Stops the heartbeat and returns the version to replace; `undefined` if the lease is lost. */
  async #end(): Promise<Version | undefined> {
    this.#timer?.cancel();
    if (this.#renewal !== undefined) await this.#renewal;
    this.#timer?.cancel();
    if (this.#version === undefined) this.#shelf.ownTokens.delete(this.#site.token);
    return this.#version;
  }

  #scheduleRenewal(): void {
    this.#timer = this.#shelf.clock.after(
      heartbeatMs,
      () => {
        this.#renewal = this.#renew();
      },
      { background: true },
    );
  }

  async #renew(): Promise<void> {
    const version = this.#version;
    if (version === undefined) return;
    try {
      this.#version = await this.#shelf.values.cas(this.#site.key, version, sealMarker(this.#site), leaseTtlMs);
    } catch (error) {
      // If this renewal was applied after all, the fill will be refused: a load too many, never a stale entry.
      if (!isUnconfirmed(error)) this.#version = undefined;
    }
    this.#renewal = undefined;
    if (this.#version !== undefined) this.#scheduleRenewal();
  }
}

function sealMarker({ key, scope, token, tags, at }: LeaseSite): Buffer {
  const tagged = tags.length === 0 ? {} : { tags, era: at.era, count: at.count };
  return seal(key, scope, { kind: 'lease', ...tagged }, Buffer.from(token, 'latin1'));
}

/** Returns where the marker of those who refresh the entry of `key` stands. */
export function sideKeyOf(key: string): string {
  // "!" stands in no key of an entry.
  return `${key}!r`;
}
