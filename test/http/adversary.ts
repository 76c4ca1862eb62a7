/** Field values as somebody would write them who wants a server to stumble, and the check that it does not. */

import { expect } from 'vitest';
import * as fc from 'fast-check';

const size = 100_000;

/** 100 KB each, of what makes careless readers go back and forth. */
const longValues: readonly (readonly [name: string, value: string])[] = [
  ['commas', ','.repeat(size)],
  ['blanks', ' '.repeat(size)],
  ['blanks before a letter', `${' '.repeat(size)}x`],
  ['blanks and commas', ' ,'.repeat(size / 2)],
  ['quotes', '"'.repeat(size)],
  ['empty quoted strings', '"",'.repeat(size / 3)],
  ['backslashes in quotes', `"${'\\'.repeat(size)}`],
  ['escaped quotes', `"${'\\"'.repeat(size / 2)}`],
  ['semicolons', `gzip${';'.repeat(size)}`],
  ['parameters', `gzip${';q=0.1 '.repeat(size / 7)}`],
  ['entity tags', '"a",'.repeat(size / 4)],
  ['weak marks', 'W/'.repeat(size / 2)],
  ['digits', `bytes=${'9'.repeat(size)}-`],
  ['ranges', `bytes=${'0-1,'.repeat(size / 4)}`],
  ['dashes', `bytes=${'-'.repeat(size)}`],
  ['letters', 'a'.repeat(size)],
  ['a path', `/${'../'.repeat(size / 3)}`],
];

/** Texts that are nearly what fields hold. */
export const anyValue: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...Array.from(',;="\\*/- \t1x'),
        'W/',
        '"a"',
        'bytes=',
        'gzip',
        'q=0.5',
        'Sun, 06 Nov 1994 08:49:37 GMT',
        '\u00fc',
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join('')),
);

/** Fails when `read` throws on any value, or takes much longer on a long one than its length explains. */
export function expectUnharmed(read: (value: string) => unknown): void {
  for (const [name, value] of longValues) {
    const before = process.cpuUsage();
    read(value);
    // In microseconds: some thousands where time grows with the length, many millions where it grows with its square.
    expect(process.cpuUsage(before).user, name).toBeLessThan(1_000_000);
  }
  fc.assert(
    fc.property(anyValue, (value) => {
      read(value);
    }),
  );
}
