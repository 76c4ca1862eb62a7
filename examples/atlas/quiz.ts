/** The questions of the quiz: which of two cities is larger? Nobody has to remember them, for they come back signed. */

import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { BackendWith } from 'hotshelf';

export interface Question {
  /** Ids of two cities. */
  readonly cities: readonly [number, number];
  /** Until when it may be answered, in epoch ms. */
  readonly expiresAt: number;
  /** Proves that it was asked here. */
  readonly token: string;
}

const answerWithinMs = 60_000;
const answered = new Uint8Array([1]);

export class Quiz {
  readonly #values: BackendWith<'values'>['values'];
  readonly #secrets: readonly string[];

  /** @param secrets as those of the cookies: of several the first one signs, and all are accepted */
  constructor({ values }: BackendWith<'values'>, secrets: readonly string[]) {
    this.#values = values;
    this.#secrets = secrets;
  }

  /** Asks about two of at least two cities. */
  ask(ids: readonly number[]): Question {
    const first = randomInt(ids.length);
    const second = (first + randomInt(1, ids.length)) % ids.length;
    const cities = [ids[first] ?? 0, ids[second] ?? 0] as const;
    const expiresAt = Date.now() + answerWithinMs;
    const text = `${cities[0]}.${cities[1]}.${expiresAt}.${randomBytes(12).toString('base64url')}`;
    return { cities, expiresAt, token: `${text}.${signature(text, this.#secrets[0] ?? '')}` };
  }

  /** The question of a token; `undefined` if it was not asked here. */
  read(token: string): Question | undefined {
    const text = token.slice(0, Math.max(0, token.lastIndexOf('.')));
    if (!this.#secrets.some((secret) => isSame(token, `${text}.${signature(text, secret)}`))) return undefined;
    const [first, second, expiresAt] = text.split('.').map(Number);
    return { cities: [first ?? 0, second ?? 0], expiresAt: expiresAt ?? 0, token };
  }

  /** True at the first time for each question, whichever instance is asked. */
  async isFirstAnswer({ token, expiresAt }: Question): Promise<boolean> {
    const [, , , id = ''] = token.split('.');
    // Longer than the token is good, also where the clocks of instances differ a little.
    const version = await this.#values.add(`atlas.quiz:${id}`, answered, expiresAt - Date.now() + answerWithinMs);
    return version !== undefined;
  }
}

/** With a word in front that no cookie has: a signed cookie is no question, nor the other way round. */
function signature(text: string, secret: string): string {
  return createHmac('sha256', secret).update(`quiz ${text}`).digest('base64url');
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
