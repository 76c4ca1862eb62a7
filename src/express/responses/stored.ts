/** What is kept of an answer, or of the ways in which the answers for one URI differ, and how it becomes bytes. */

import type { Codec } from '../../codec/codec.ts';
import type { Coding } from '../../http/negotiation.ts';
import type { Stock } from '../../http/reuse.ts';
import type { FieldLine } from '../../http/stored-fields.ts';
import { HotshelfError } from '../../support/errors.ts';

/** The body in a content coding: a representation of its own, with an entity tag of its own. */
export interface CodedBody {
  readonly coding: Exclude<Coding, 'identity'>;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

/** What is written of an answer besides its bodies. */
interface Head {
  readonly status: number;
  /** Empty where it is the usual one. */
  readonly statusText: string;
  /** All but Age, Content-Length and what concerns one connection. */
  readonly lines: readonly FieldLine[];
  /** Fields of earlier middleware that the handler has taken off, in lower case; `undefined` for none. */
  readonly removed: readonly string[] | undefined;
  readonly stock: Stock;
  /** Of the body as it is, from the handler or made here. */
  readonly etag: string | undefined;
  /** The handler gave the etag: it can be asked with it. */
  readonly etagIsOrigins: boolean;
  readonly lastModified: string | undefined;
  readonly lastModifiedMs: number | undefined;
  readonly dateMs: number;
}

export interface StoredAnswer extends Head {
  readonly kind: 'answer';
  readonly body: Buffer;
  readonly coded: CodedBody | undefined;
}

/**
 * The request fields that the answers for one URI differ by. Each stands under a key of its own, which has `generation` in it:
 * where this is gone, so are they.
 */
export interface Variants {
  readonly kind: 'variants';
  /** In lower case, sorted. */
  readonly names: readonly string[];
  readonly generation: string;
}

export type Stored = StoredAnswer | Variants;

/** The layout of the bytes: the length of the head in 4, the head in JSON, the body, the coded body. */
interface Written extends Head {
  readonly bytes: number;
  readonly coded?: { readonly coding: CodedBody['coding']; readonly etag: string | undefined };
}

const lengthBytes = 4;
/** Says that the bytes are no answer but variants. */
const variantsFlag = 1;

/** Keeps bodies as bytes. What it decodes is shared by all readers: nobody writes to it. */
export const answerCodec: Codec = {
  id: 2,

  encode(value) {
    const stored = value as Stored;
    if (stored.kind === 'variants') return { payload: Buffer.from(JSON.stringify(stored)), flags: variantsFlag };
    if (stored.kind !== 'answer') {
      throw new HotshelfError('VALUE_INVALID', 'This namespace keeps answers of cacheResponses() and nothing else.');
    }
    const { kind: _kind, body, coded, ...rest } = stored;
    const written: Written = {
      ...rest,
      bytes: body.length,
      ...(coded && { coded: { coding: coded.coding, etag: coded.etag } }),
    };
    const head = Buffer.from(JSON.stringify(written));
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32BE(head.length);
    return { payload: Buffer.concat([length, head, body, ...(coded === undefined ? [] : [coded.body])]), flags: 0 };
  },

  decode(payload, flags): Stored {
    if (flags === variantsFlag) return JSON.parse(payload.toString('utf8')) as Variants;
    const own = owned(payload);
    const bodyAt = lengthBytes + own.readUInt32BE(0);
    const { bytes, coded, ...head } = JSON.parse(own.toString('utf8', lengthBytes, bodyAt)) as Written;
    const codedAt = bodyAt + bytes;
    if (codedAt > own.length) throw new RangeError('a body that is cut off');
    return {
      kind: 'answer',
      ...absent,
      ...head,
      body: own.subarray(bodyAt, codedAt),
      coded: coded && { coding: coded.coding, etag: coded.etag, body: own.subarray(codedAt) },
    };
  },

  // Shared by its readers, as plain JSON is.
  isPlain: () => true,
};

/** What JSON leaves out: objects of one shape are read faster. */
const absent = { removed: undefined, etag: undefined, lastModified: undefined, lastModifiedMs: undefined } as const;

/** What shares its memory with much else, such as all that a socket brought at once, would keep all of it. */
function owned(payload: Buffer): Buffer {
  return payload.buffer.byteLength > 2 * payload.length + Buffer.poolSize ? Buffer.from(payload) : payload;
}
