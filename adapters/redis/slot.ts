/** Computes the hash slot of a key, as the Redis Cluster specification defines it. */

export const slots = 16_384;

const notAscii = /[\u0080-\uffff]/;

/** CRC16-CCITT (XMODEM): polynomial 0x1021, start 0. */
const table = new Uint16Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  table[byte] = crc;
}

export function slotOf(key: string): number {
  // The slot is that of the bytes; nearly all keys are ASCII.
  return slotOfBytes(notAscii.test(key) ? Buffer.from(key).toString('latin1') : key);
}

/** @param key one byte a character */
function slotOfBytes(key: string): number {
  let start = 0;
  let end = key.length;
  const open = key.indexOf('{');
  if (open !== -1) {
    // Only what stands between the first `{` and the next `}` is hashed, unless that is nothing.
    const close = key.indexOf('}', open + 1);
    if (close > open + 1) {
      start = open + 1;
      end = close;
    }
  }
  let crc = 0;
  for (let index = start; index < end; index += 1) {
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ key.charCodeAt(index)) & 0xff] ?? 0)) & 0xffff;
  }
  return crc % slots;
}
