/** Somebody who plays the quiz, and knows the right answers: he looks into the database. */

import type { Database } from '../../examples/atlas/database/database.ts';
import { newName, type OpenSite, type Reply, type Visitor } from './visitor.ts';

export interface Asked {
  readonly token: string;
  readonly cities: readonly { readonly id: number; readonly name: string; readonly country: string }[];
}

export class Player {
  readonly name = newName();
  readonly browser: Visitor;
  readonly #database: Database;

  private constructor(browser: Visitor, database: Database) {
    this.browser = browser;
    this.#database = database;
  }

  static async signedUp(site: Pick<OpenSite, 'visitor'>, database: Database): Promise<Player> {
    const player = new Player(site.visitor(), database);
    const { status } = await player.browser.signUp(player.name);
    if (status !== 201) throw new Error(`The sign-up was answered with ${status}.`);
    return player;
  }

  async ask(): Promise<Asked> {
    const { status, body } = await this.browser.get('/quiz');
    if (status !== 200) throw new Error(`The question was answered with ${status}.`);
    return body as unknown as Asked;
  }

  /** The ids of the two cities, the larger one first. */
  async ranked({ cities }: Asked): Promise<readonly [number, number]> {
    const [one, other] = cities.map(({ id }) => id) as [number, number];
    const sql = 'select id, population from atlas_city where id in ($1, $2)';
    const rows = await this.#database.query<{ id: number; population: number }>(sql, [one, other]);
    const population = (id: number) => rows.find((row) => row.id === id)?.population ?? 0;
    return population(one) >= population(other) ? [one, other] : [other, one];
  }

  answer(token: string, city: number): Promise<Reply> {
    return this.browser.send('POST', '/quiz/answer', { token, city });
  }

  /** Answers a question rightly; resolves with the answer to that. */
  async score(): Promise<Reply> {
    const asked = await this.ask();
    const [larger] = await this.ranked(asked);
    return this.answer(asked.token, larger);
  }
}
