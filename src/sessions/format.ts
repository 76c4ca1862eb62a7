/** Puts values into envelopes and takes them out: what stands in the backend says until when it lives and what wrote it. */

import type { Codec } from '../codec/codec.ts';
import { open, seal } from '../codec/envelope.ts';
import type { Halves } from '../support/hash64.ts';

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

/** Writes with one codec, and reads what any of several wrote. */
export class Format {
  readonly #codec: Codec;
  readonly #codecs: ReadonlyMap<number, Codec>;

  constructor(codec: Codec, alsoRead: readonly Codec[]) {
    this.#codec = codec;
    this.#codecs = new Map([...alsoRead, codec].map((one) => [one.id, one]));
  }

  write(key: string, value: unknown, { writtenAt, expiresAt, epoch }: Stamp): Buffer {
    const { payload, flags } = this.#codec.encode(value, key);
    const header = { kind: 'entry', codec: this.#codec.id, flags, writtenAt, ttlMs: expiresAt - writtenAt } as const;
    return seal(key, epoch, header, payload);
  }

  /** Never throws: bytes that were not written by `write` under this very key are unusable. */
  read(key: string, bytes: Uint8Array): { readonly value: unknown; readonly stamp: Stamp } | Unusable {
    const opened = open(key, bytes);
    if (typeof opened === 'string') return { unusable: opened };
    const codec = this.#codecs.get(opened.codec);
    if (opened.kind !== 'entry' || codec === undefined) return { unusable: 'foreign' };
    const { writtenAt, ttlMs, scopeA, scopeB } = opened;
    const expiresAt = writtenAt + ttlMs;
    if (!Number.isFinite(expiresAt)) return { unusable: 'corrupt' };
    try {
      const value = codec.decode(opened.payload, opened.flags, key);
      return { value, stamp: { writtenAt, expiresAt, epoch: Uint32Array.of(scopeA, scopeB) } };
    } catch {
      return { unusable: 'corrupt' };
    }
  }
}
