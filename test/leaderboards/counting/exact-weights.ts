/** What a trend should say, with all members remembered. */

export class ExactWeights {
  readonly #halfLifeMs: number;
  readonly #members = new Map<string, { readonly weight: number; readonly at: number }>();

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** @param now in any ms */
  hit(member: string, weight: number, now: number): void {
    this.#members.set(member, { weight: this.of(member, now) + weight, at: now });
  }

  of(member: string, now: number): number {
    const { weight, at } = this.#members.get(member) ?? { weight: 0, at: now };
    return weight / 2 ** ((now - at) / this.#halfLifeMs);
  }

  total(now: number): number {
    return this.members().reduce((sum, member) => sum + this.of(member, now), 0);
  }

  members(): string[] {
    return [...this.#members.keys()];
  }
}
