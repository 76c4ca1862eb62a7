/** Cuts the bytes that a server sends into replies, wherever the network cut them. */

import { at, headerBytes, replyMagic } from './protocol.ts';

/** The largest item that any Memcached can be told to take (-I 1024m), and its key. */
const longestBody = 1024 * 1024 * 1024 + 64 * 1024;

export class ReplyReader {
  #chunks: Buffer[] = [];
  #have = 0;
  /** How many bytes must be there before it is worth looking at them again. */
  #need = headerBytes;

  /**
   * Takes what came and hands each whole reply, header and body, to `onReply`, as long as that returns true.
   *
   * Returns false if the bytes are not the protocol: nothing that follows can be trusted.
   */
  read(chunk: Buffer, onReply: (reply: Buffer) => boolean): boolean {
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    // The first bytes are looked at as they come: a server that speaks something else may never send 24.
    if (this.#chunks.length === 1 && chunk.length > 0 && chunk[0] !== replyMagic) return false;
    if (this.#have < this.#need) return true;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#have);
    let start = 0;
    this.#need = headerBytes;
    while (bytes.length - start >= headerBytes) {
      if (!isReplyHeader(bytes, start)) return false;
      const end = start + headerBytes + bytes.readUInt32BE(start + at.bodyLength);
      if (end > bytes.length) {
        this.#need = end - start;
        break;
      }
      if (!onReply(bytes.subarray(start, end))) return true;
      start = end;
    }
    this.#have = bytes.length - start;
    this.#chunks = this.#have === 0 ? [] : [bytes.subarray(start)];
    return this.#have === 0 || bytes[start] === replyMagic;
  }
}

function isReplyHeader(bytes: Buffer, start: number): boolean {
  const bodyLength = bytes.readUInt32BE(start + at.bodyLength);
  const before = bytes.readUInt16BE(start + at.keyLength) + (bytes[start + at.extrasLength] ?? 0);
  return bytes[start] === replyMagic && bodyLength <= longestBody && before <= bodyLength;
}
