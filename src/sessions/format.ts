/** Puts values into envelopes and takes them out: what stands in the backend says until when it lives and what wrote it. */

import type { Codec, Encoded } from '../codec/codec.ts';
import { open, seal } from '../codec/envelope.ts';
import { encodedJson, jsonCodec, jsonIn } from '../codec/json.ts';
import type { Halves } from '../support/hash64.ts';
import { valueIn } from './fields.ts';

/** When something was written and until when it lives, in epoch ms; and the epoch that it belongs to. */
export interface Stamp {
  readonly writtenAt: number;
  readonly expiresAt: number;
  readonly epoch: Halves;
}

/** Why bytes are not used. */
export interface Unusable {
  readonly unusable: string;
}

/** What stands in an envelope. */
export interface Content {
  /** Where it is plain JSON. */
  readonly json: string | undefined;
  /** Returns the value, each time anew. */
  readonly decode: () => unknown;
}

export interface Read<Made> {
  readonly value: Made;
  readonly stamp: Stamp;
}

/** Writes with one codec, and reads what any of several wrote. */
export class Format {
  readonly #codec: Codec;
  readonly #codecs: ReadonlyMap<number, Codec>;

  constructor(codec: Codec, alsoRead: readonly Codec[]) {
    this.#codec = codec;
    this.#codecs = new Map([...alsoRead, codec].map((one) => [one.id, one]));
  }

  write(key: string, value: unknown, stamp: Stamp): Buffer {
    return this.#sealed(key, this.#codec.encode(value, key), stamp);
  }

  /** As `write`, for what is JSON already. */
  writeJson(key: string, json: string, stamp: Stamp): Buffer {
    if (this.#codec !== jsonCodec) return this.write(key, valueIn(json), stamp);
    return this.#sealed(key, encodedJson(json), stamp);
  }

  #sealed(key: string, { payload, flags }: Encoded, { writtenAt, expiresAt, epoch }: Stamp): Buffer {
    const header = { kind: 'entry', codec: this.#codec.id, flags, writtenAt, ttlMs: expiresAt - writtenAt } as const;
    return seal(key, epoch, header, payload);
  }

  /**
   * Returns what `made` makes of the bytes, and what the header says. Never throws: bytes that were not written under this very
   * key are unusable, and so are those of which nothing can be made.
   */
  read<Made>(key: string, bytes: Uint8Array, made: (content: Content) => Made | undefined): Read<Made> | Unusable {
    const opened = open(key, bytes);
    if (typeof opened === 'string') return { unusable: opened };
    const codec = this.#codecs.get(opened.codec);
    if (opened.kind !== 'entry' || codec === undefined) return { unusable: 'foreign' };
    const { writtenAt, ttlMs, scopeA, scopeB, payload, flags } = opened;
    const expiresAt = writtenAt + ttlMs;
    if (!Number.isFinite(expiresAt)) return { unusable: 'corrupt' };
    try {
      const json = codec === jsonCodec ? jsonIn(payload, flags) : undefined;
      const value = made({ json, decode: () => codec.decode(payload, flags, key) });
      if (value === undefined) return { unusable: 'foreign' };
      return { value, stamp: { writtenAt, expiresAt, epoch: Uint32Array.of(scopeA, scopeB) } };
    } catch {
      return { unusable: 'corrupt' };
    }
  }
}
