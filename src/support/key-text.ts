/** Writes any text in the few characters that every server allows in a key: injective, and never longer than asked. */

import { createHash } from 'node:crypto';

const plain = /^[\w.@~-]*$/;
const escaped = /[^\w.@~-]/gu;

/** Percent-encodes bytes; a lone surrogate, which has none, by its number. What comes out has no ":", "=", "$", "{" or "}". */
export function keyText(text: string): string {
  return plain.test(text) ? text : text.replaceAll(escaped, encodeCharacter);
}

/** Returns a key or a part of one as it is, or its digest if it is too long, with a mark that no `keyText` has. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `$${createHash('sha256').update(text).digest('base64url')}`;
}

function encodeCharacter(character: string): string {
  if (/^[\ud800-\udfff]$/.test(character)) return `%u${character.charCodeAt(0).toString(16)}`;
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
