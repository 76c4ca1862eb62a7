/** Shows that replies are read whole wherever the network cut them, and that other bytes are never taken for one. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyReader } from '../../../adapters/memcached/replies.ts';

function replyOf(opaque: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(24);
  header[0] = 0x81;
  header.writeUInt32BE(body.length, 8);
  header.writeUInt32BE(opaque, 12);
  return Buffer.concat([header, body]);
}

function read(chunks: readonly Buffer[]): { readonly replies: Buffer[]; readonly understood: boolean } {
  const reader = new ReplyReader();
  const replies: Buffer[] = [];
  const understood = chunks.every((chunk) => reader.read(chunk, (reply) => replies.push(reply) > 0));
  return { replies, understood };
}

describe('the reader of replies', () => {
  it('gives back every reply, whatever the cuts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (bodies, sizes) => {
          const sent = bodies.map((body, index) => replyOf(index, body));
          const stream = Buffer.concat(sent);
          const chunks: Buffer[] = [];
          for (let start = 0; start < stream.length;) {
            const end = start + (sizes.next().value ?? 1);
            chunks.push(stream.subarray(start, end));
            start = end;
          }
          expect(read(chunks)).toEqual({ replies: sent, understood: true });
        },
      ),
    );
  });

  it('refuses bytes that begin with anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        fc.pre(bytes[0] !== 0x81);
        expect(read([Buffer.from(bytes)])).toEqual({ replies: [], understood: false });
        const good = replyOf(7, Buffer.from('body'));
        expect(read([Buffer.concat([good, bytes])])).toEqual({ replies: [good], understood: false });
      }),
    );
  });

  it('refuses a length that no Memcached can send, and a key that is longer than its body', () => {
    const huge = replyOf(1, Buffer.alloc(0));
    huge.writeUInt32BE(0xffff_ffff, 8);
    expect(read([huge]).understood).toBe(false);
    const crooked = replyOf(1, Buffer.from('ab'));
    crooked.writeUInt16BE(3, 2);
    expect(read([crooked]).understood).toBe(false);
  });
});
