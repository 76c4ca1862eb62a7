/** Keeps what a page shows of a member beside its score: a name, a picture, a country. */

import type { Stored, Values } from '../backend/values.ts';
import { open, seal } from '../codec/envelope.ts';
import { jsonCodec } from '../codec/json.ts';
import type { BoardKeys } from './keys.ts';

const noScope = new Uint32Array(2);

export class Metas<Meta> {
  readonly #values: Values;
  readonly #keys: BoardKeys;
  readonly #ttlMs: number;

  constructor(values: Values, keys: BoardKeys, ttlMs: number) {
    this.#values = values;
    this.#keys = keys;
    this.#ttlMs = ttlMs;
  }

  /** @throws {HotshelfError} `VALUE_INVALID` or `VALUE_TOO_LARGE` before anything is sent. */
  async set(member: string, value: Meta): Promise<void> {
    const key = this.#keys.meta(member);
    const { payload, flags } = jsonCodec.encode(value, key);
    const bytes = seal(key, noScope, { kind: 'entry', codec: jsonCodec.id, flags }, payload);
    await this.#values.set(key, bytes, this.#ttlMs);
  }

  async delete(member: string): Promise<void> {
    await this.#values.delete([this.#keys.meta(member)]);
  }

  /** Returns `rows` with what is kept of their members, in one trip. */
  async over<Row extends { readonly member: string }>(rows: readonly Row[]): Promise<(Row & { meta?: Meta })[]> {
    if (rows.length === 0) return [];
    const keys = rows.map(({ member }) => this.#keys.meta(member));
    const stored = await this.#values.getMany(keys);
    return rows.map((row, place) => {
      const meta = metaIn(keys[place] ?? '', stored[place]);
      // Whoever set it said what it is.
      return meta === undefined ? row : { ...row, meta: meta as Meta };
    });
  }
}

/** What is corrupt, or was written by somebody else, is nothing. */
function metaIn(key: string, stored: Stored | undefined): unknown {
  const opened = stored === undefined ? 'foreign' : open(key, stored.bytes);
  if (typeof opened === 'string' || opened.codec !== jsonCodec.id) return undefined;
  try {
    return jsonCodec.decode(opened.payload, opened.flags, key);
  } catch {
    return undefined;
  }
}
