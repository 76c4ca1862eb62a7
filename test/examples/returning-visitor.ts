/** A visitor under load: what he was told is what must be there afterwards. */

import { newName, Visitor } from './visitor.ts';

/** Requests that he has on the way at any time. */
const side = 3;

/** Looks at cities and keeps some in mind, several at once, until he leaves; and knows what he was told. */
export class ReturningVisitor {
  readonly browser: Visitor;
  readonly name = newName();
  /** Favourites that were acknowledged. */
  readonly kept = new Set<number>();
  /** Answers that were no success. */
  readonly problems: number[] = [];
  /** Views that were answered, and views that were asked for. */
  seen = 0;
  asked = 0;
  isHere = true;

  constructor(url: string) {
    this.browser = new Visitor(url);
  }

  static async signedUp(url: string): Promise<ReturningVisitor> {
    const visitor = new ReturningVisitor(url);
    const { status } = await visitor.browser.signUp(visitor.name);
    if (status !== 201) throw new Error(`The sign-up was answered with ${status}.`);
    return visitor;
  }

  /** Resolves when he is no longer here. */
  async lookAround(ids: readonly number[]): Promise<void> {
    await Promise.all(Array.from({ length: side }, (_, index) => this.#look(ids.slice(index * 5, index * 5 + 5))));
  }

  async #look(ids: readonly number[]): Promise<void> {
    for (let turn = 0; this.isHere; turn += 1) {
      const id = ids[turn % ids.length] ?? 0;
      this.asked += 1;
      const page = await this.browser.get(`/cities/${id}`);
      if (page.status === 200) this.seen += 1;
      else this.problems.push(page.status);
      if (this.kept.has(id)) continue;
      const { status } = await this.browser.send('PUT', `/favourites/${id}`);
      if (status === 204) this.kept.add(id);
      else this.problems.push(status);
    }
  }
}
