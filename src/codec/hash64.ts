/** The type of a fingerprint, where it stood before. */

export type { Halves } from '../support/hash64.ts';
