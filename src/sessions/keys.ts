/** Says under which keys of the backend a session, the epochs and the sessions of an owner stand. */

import { hash } from 'node:crypto';
import { legacyKey, type LegacySource } from './legacy.ts';

/** So many groups of sessions have an epoch each: enough to spread over a Cluster, few enough to write in one `clear`. */
const groups = 1024;

/** Where one session stands. */
export interface SessionKeys {
  readonly session: string;
  /** The epoch of its group: in the same slot of a Redis Cluster, so that both travel in one command. */
  readonly epoch: string;
  /** Names the session to people and in events; nobody can use a session who knows it. */
  readonly id: string;
  /** A mark that the session was ended; in the same slot. Used while sessions of another store are taken over. */
  readonly ended: string;
  /** The key that it has in the other store, where it may be there. */
  readonly legacy?: string;
}

export class Keys {
  readonly #prefix: string;
  readonly #hashIds: boolean;
  readonly #source: LegacySource | undefined;

  constructor(prefix: string, hashIds: boolean, source?: LegacySource) {
    this.#prefix = prefix;
    this.#hashIds = hashIds;
    this.#source = source;
  }

  /** The keys of the session whose cookie says `sid`. */
  of(sid: string): SessionKeys {
    const id = digestOf(sid);
    const keys = this.#at(groupOf(id), this.#hashIds ? id : readable(sid, id), id);
    const legacy = this.#source && legacyKey(this.#source, sid);
    return legacy === undefined ? keys : { ...keys, legacy };
  }

  /** The keys of a session that `place` has noted. */
  at(place: string): SessionKeys {
    const digest = place.slice(0, digestLength);
    return this.#at(groupOf(digest), place.slice(digestLength) || digest, digest);
  }

  /** What the keys of all sessions begin with, and those of marks and epochs too. */
  get start(): string {
    return `${this.#prefix}:{`;
  }

  /** The keys of the session that stands under `key`, if it is the key of a session. */
  in(key: string): SessionKeys | undefined {
    const name = key.slice(key.indexOf('}:') + 2);
    const isReadable = !this.#hashIds && plainId.test(name);
    const keys = isReadable ? this.of(name) : this.named(name.replace(/^\$/, ''));
    return keys?.session === key ? keys : undefined;
  }

  /** The keys of the session of which `id` is the name in lists and events; not of one that stands under a readable id. */
  named(id: string): SessionKeys | undefined {
    if (!digestOnly.test(id)) return undefined;
    return this.#at(groupOf(id), this.#hashIds ? id : `$${id}`, id);
  }

  /** What `named` or `of` finds a session by: its name, or its id where that is readable. */
  callOf({ session, id }: SessionKeys): string {
    const name = session.slice(session.indexOf('}:') + 2);
    return name.startsWith('$') ? id : name;
  }

  /** Notes where a session stands, for `at`: its id, and with readable ids also the name that its key has. */
  placeOf({ session, id }: SessionKeys): string {
    const name = session.slice(session.indexOf('}:') + 2);
    return name === id ? id : id + name;
  }

  /** The epochs of all groups. */
  get epochs(): string[] {
    return Array.from({ length: groups }, (_, group) => this.#epoch(group));
  }

  /** The key of the list of an owner's sessions. */
  owner(owner: string): string {
    return `${this.#prefix}/owner:${digestOf(owner)}`;
  }

  #at(group: number, name: string, id: string): SessionKeys {
    const session = `${this.#prefix}:{${group}}:${name}`;
    return { session, epoch: this.#epoch(group), id, ended: `${session}!` };
  }

  #epoch(group: number): string {
    return `${this.#prefix}:{${group}}!`;
  }
}

/** SHA-256 in base64url. */
const digestLength = 43;
const digestOnly = /^[\w-]{43}$/;
const plainId = /^[\w.~-]{1,128}$/;

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

function groupOf(digest: string): number {
  return Buffer.from(digest.slice(0, 3), 'base64url').readUInt16BE(0) % groups;
}

/** An id that is no key by itself stands under its digest; the mark keeps the two apart. */
function readable(sid: string, digest: string): string {
  return plainId.test(sid) ? sid : `$${digest}`;
}
