/** Encrypts the payload of another codec, and binds it to the key under which it stands. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { checkOptionNames } from '../support/options.ts';
import type { Codec, Encoded } from './codec.ts';
import { type EncryptionKey, keyRing } from './key-ring.ts';
import { checkInner, layers } from './wrapping.ts';

export type { EncryptionKey, KeyMaterial } from './key-ring.ts';

export interface EncryptedOptions {
  /** The first key encrypts, all of them decrypt. */
  keys: readonly EncryptionKey[];
}

/**
 * Format 1:
 *
 * | bytes | content |
 * | --- | --- |
 * | 1 | format, 1 |
 * | 1 | length of the key's id, 1 to 16 |
 * | 1-16 | the key's id |
 * | 12 | nonce |
 * | 16 | GCM tag |
 * | | ciphertext, as long as the plain payload |
 *
 * Authenticated with it: everything before the nonce, the codec's id, the flags, and the full key of the entry.
 */
const formatNow = 1;
const headBytes = 2;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Returns a codec that encrypts what `codec` encodes, with AES-256-GCM and a fresh random nonce for each value.
 *
 * A payload that was altered, cut, moved to another key, or encrypted with a key that is not in `keys` is a miss: the value is
 * loaded anew. To rotate, put the new key second everywhere, then first everywhere, and remove the old one when the longest ttl
 * and grace have passed: no entry is lost on the way.
 *
 * What stays visible to whoever reads the backend: the keys of entries, their tags, etags and times, which encryption key was
 * used, and the length of the value, with `compressed` also how well it compresses. Whoever writes to the backend can still
 * delete entries, change their times, tags and etags, and put an older value of the same key back.
 *
 * One key is good for 2^32 values (NIST SP 800-38D, 8.3), 49 days at 1,000 writes a second: rotate before. It costs 31 to 46
 * bytes a value (38 with a derived id), and for small ones some 10 us to write and 6 to read.
 *
 * @throws {HotshelfError} `OPTION_INVALID` on a key that is not 32 bytes, and around a codec that already encrypts. The
 *   message never shows a key.
 * @example
 * const keys = [process.env['CACHE_KEY_NEW'], process.env['CACHE_KEY']].filter((key) => key !== undefined);
 * const cache = createCache({ backend, codec: encrypted(compressed(jsonCodec), { keys }) });
 */
export function encrypted(codec: Codec, options: EncryptedOptions): Codec {
  checkInner(codec, 'encrypted()', ['encrypted']);
  checkOptionNames(options, ['keys'], 'encrypted()');
  const ring = keyRing(options?.keys);
  const head = Buffer.concat([Buffer.from([formatNow, ring.first.id.length]), ring.first.id]);
  const id = codec.id + layers.encrypted;

  return {
    id,

    encode(value, key): Encoded {
      const { payload: plain, flags } = codec.encode(value, key);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', ring.first.secret, nonce, { authTagLength: tagBytes });
      cipher.setAAD(boundTo(head, id, flags, key));
      const text = cipher.update(plain);
      // GCM holds nothing back, so `final` has no bytes; the tag exists only after it.
      cipher.final();
      return { payload: Buffer.concat([head, nonce, cipher.getAuthTag(), text]), flags };
    },

    decode(payload, flags, key) {
      const nonceAt = headBytes + (payload[1] ?? 0);
      const tagAt = nonceAt + nonceBytes;
      const textAt = tagAt + tagBytes;
      if (payload[0] !== formatNow || payload.length < textAt) {
        throw new RangeError('not an encrypted payload');
      }
      const secret = ring.find(payload.toString('latin1', headBytes, nonceAt));
      if (secret === undefined) throw new RangeError('encrypted with a key that is not in the ring');
      const nonce = payload.subarray(nonceAt, tagAt);
      const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagBytes });
      decipher.setAAD(boundTo(payload.subarray(0, nonceAt), id, flags, key));
      decipher.setAuthTag(payload.subarray(tagAt, textAt));
      const plain = decipher.update(payload.subarray(textAt));
      // Throws unless all of it is authentic: nothing is decoded before.
      decipher.final();
      return codec.decode(plain, flags, key);
    },

    isPlain: (flags) => codec.isPlain(flags),

    over: (inner) => encrypted(codec.over?.(inner) ?? inner, options),
  };
}

/** What a payload is good for. Unambiguous: the head says how long it is, then come two bytes, and the rest is the key. */
function boundTo(head: Buffer, id: number, flags: number, key: string): Buffer {
  return Buffer.concat([head, Buffer.from([id, flags]), Buffer.from(key, 'utf8')]);
}
