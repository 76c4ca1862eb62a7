/** Methods with a limit: when they run, whose limit it is, and what a refused call gets. */

import { describe, expect, it } from 'vitest';
import { limited } from 'hotshelf/decorators';
import { LimitExceededError, limiter, type LimitPlan } from 'hotshelf/limits';
import { memory } from 'hotshelf/memory';
import { fakeClock } from 'hotshelf/testing';

const plans: readonly LimitPlan[] = [{ name: 'minute', limit: 2, window: '1m', algorithm: 'fixed-window' }];

function mails() {
  const clock = fakeClock({ now: 1_700_000_040_000 });
  return { clock, limits: limiter({ backend: memory({ clock }), name: 'mails', plans, clock }) };
}

describe('a limited method', () => {
  it('runs as often as the limit of its key allows, and then rejects without running', async () => {
    const { clock, limits } = mails();
    class Mails {
      sent: string[] = [];
      @limited(limits, (to: string) => ['to', to])
      async send(to: string, text: string) {
        this.sent.push(text);
        return text.length;
      }
    }
    const one = new Mails();
    expect([await one.send('a', 'first'), await one.send('a', 'second'), await one.send('b', 'third')]).toEqual([
      5, 6, 5,
    ]);
    const refused = await one.send('a', 'fourth').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LimitExceededError);
    expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', verdict: { allowed: false, policy: 'minute', limit: 2 } });
    expect(String(refused)).toMatch(/"mails" refused the call: "minute" allows 2. Try again in \d+ ms/);
    expect(one.sent).toEqual(['first', 'second', 'third']);
    await clock.advance(60_000);
    expect(await one.send('a', 'fifth')).toBe(5);
  });

  it('knows the object whose method it is: for the key, the cost and the limiter', async () => {
    const { limits } = mails();
    class Tenant {
      readonly limits = limits;
      readonly name: string;
      constructor(name: string) {
        this.name = name;
      }
      @limited((self: Tenant) => self.limits, {
        key(this: Tenant) {
          return this.name;
        },
        cost(this: Tenant, size: number) {
          return size;
        },
      })
      async store(size: number) {
        return `${this.name} ${size}`;
      }
    }
    const [a, b] = [new Tenant('a'), new Tenant('b')];
    expect([await a.store(2), await b.store(1), await b.store(1)]).toEqual(['a 2', 'b 1', 'b 1']);
    await expect(a.store(1)).rejects.toThrow(LimitExceededError);
    await expect(b.store(3)).rejects.toThrow(/It will never pass/);
  });

  it('waits for room where it may', async () => {
    const { clock, limits } = mails();
    class Calls {
      @limited(limits, { key: 'all', within: '2m' })
      async call() {
        return clock.now();
      }
    }
    const calls = new Calls();
    const startedAt = clock.now();
    const all = Promise.all([calls.call(), calls.call(), calls.call()]);
    await clock.advance(60_000);
    const [first, , last] = await all;
    expect(first).toBe(startedAt);
    expect(last).toBeGreaterThanOrEqual(startedAt + 40_000);
  });

  it('works as a decorator of experimentalDecorators, for static methods too, and keeps errors as they are', async () => {
    const { limits } = mails();
    class Legacy {
      readonly made = true;
      static async run(): Promise<never> {
        throw new RangeError('mine');
      }
    }
    const decorator = limited(limits, 'static') as (...applied: readonly unknown[]) => PropertyDescriptor;
    Object.defineProperty(Legacy, 'run', decorator(Legacy, 'run', Object.getOwnPropertyDescriptor(Legacy, 'run')));
    await expect(Legacy.run()).rejects.toThrow(new RangeError('mine'));
    await expect(Legacy.run()).rejects.toThrow('mine');
    await expect(Legacy.run()).rejects.toThrow(LimitExceededError);
    expect(Legacy.run.name).toBe('run');
  });

  it.each([
    [{}, 'a', /to get a limiter/],
    [undefined, 'a', /to get a limiter/],
    [mails().limits, { cost: 1 }, /`key` of @limited/],
    [mails().limits, { key: 7 }, /`key` of @limited/],
    [mails().limits, { key: 'a', cost: -1 }, /`cost` of @limited to be a whole number from 0/],
    [mails().limits, { key: 'a', cost: '2' }, /`cost` of @limited/],
    [mails().limits, { key: 'a', within: 'soon' }, /`within` to be a duration/],
    [mails().limits, { key: 'a', costs: 1 }, /Did you mean `cost`/],
    [mails().limits, undefined, /options of @limited to be an object/],
  ])('is refused with a wrong limiter or rule: %#', (limits, rule, message) => {
    expect(() => limited(limits as never, rule as never)).toThrow(message);
  });

  it('fits only methods that its functions fit', () => {
    const { limits } = mails();
    class Mistakes {
      // @ts-expect-error the key wants a number
      @limited(limits, (id: number) => String(id))
      async byName(name: string) {
        return name;
      }
    }
    expect(Mistakes).toBeDefined();
    // @ts-expect-error nobody knows this name
    expect(() => limited(limits, { key: 'a', costs: 2 })).toThrow(/costs/);
  });
});
