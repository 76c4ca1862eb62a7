/** Keeps passwords so that nobody can read them back, not even who has the database. */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What one try costs, whoever makes it. */
export interface PasswordCost {
  /** The cost of one pass, a power of 2. */
  readonly N: number;
  /** The size of a block: N * r * 128 bytes of memory. */
  readonly r: number;
  /** How many passes. */
  readonly p: number;
}

/** 32 MB, three times: what OWASP's Password Storage Cheat Sheet asks of scrypt, in the variant that needs little memory. */
export const passwordCost: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };

const saltBytes = 16;
const hashBytes = 32;

/** Returns what to store: it says how it was made, so that what is stored stays good when the cost is raised. */
export async function hashPassword(password: string, cost = passwordCost): Promise<string> {
  const salt = randomBytes(saltBytes);
  return written(cost, salt, await hash(password, salt, cost));
}

/** Tells whether `stored` was made of `password`; how long that takes does not say how much of it was right. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [, N, r, p, salt = '', expected = ''] = stored.split(':');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const made = await hash(password, Buffer.from(salt, 'base64url'), cost);
  return timingSafeEqual(made, Buffer.from(expected, 'base64url'));
}

/** Something to compare with where there is no user: it takes as long, and no password fits. */
export function nobodysHash(cost = passwordCost): string {
  return written(cost, Buffer.alloc(saltBytes), Buffer.alloc(hashBytes));
}

function written({ N, r, p }: PasswordCost, salt: Buffer, hashed: Buffer): string {
  return ['scrypt', N, r, p, salt.toString('base64url'), hashed.toString('base64url')].join(':');
}

function hash(password: string, salt: Buffer, { N, r, p }: PasswordCost): Promise<Buffer> {
  // An accent can be typed in two ways; to whoever types, it is one password.
  const text = password.normalize('NFKC');
  // All that it needs: the default is less.
  const maxmem = 128 * r * (N + p + 2);
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hashBytes, { N, r, p, maxmem }, (error, made) => {
      if (error === null) resolve(made);
      else reject(error);
    });
  });
}
