import { memory } from 'hotshelf/memory';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Quiz } from '../../examples/atlas/quiz.ts';

const [newer, older] = ['a newer secret', 'an older secret'];

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a question of the quiz', () => {
  it('is about two different cities, each as often as any other', () => {
    const quiz = new Quiz(memory(), [newer]);
    const ids = [10, 20, 30];
    const seen = new Map<string, number>();
    for (let asked = 0; asked < 6000; asked += 1) {
      const pair = quiz.ask(ids).cities.join(' ');
      seen.set(pair, (seen.get(pair) ?? 0) + 1);
    }
    expect([...seen.keys()].toSorted()).toEqual(['10 20', '10 30', '20 10', '20 30', '30 10', '30 20']);
    // A thousand each; the deviation is 29.
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });

  it('is known by its token to all who have the secret, also as an older one', () => {
    const question = new Quiz(memory(), [older]).ask([1, 2]);
    expect(new Quiz(memory(), [newer, older]).read(question.token)).toEqual(question);
    expect(new Quiz(memory(), [newer]).read(question.token)).toBeUndefined();
  });

  it('is good for a minute, and is answered once', async () => {
    const backend = memory();
    const quiz = new Quiz(backend, [newer]);
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
    const question = quiz.ask([1, 2]);
    expect(question.expiresAt).toBe(1_700_000_060_000);
    const other = new Quiz(backend, [newer]);
    expect(await quiz.isFirstAnswer(question)).toBe(true);
    expect(await other.isFirstAnswer(question)).toBe(false);
    expect(await quiz.isFirstAnswer(quiz.ask([1, 2]))).toBe(true);
    // Until it is certainly too late for it.
    now.mockReturnValue(question.expiresAt + 30_000);
    expect(await quiz.isFirstAnswer(question)).toBe(false);
  });
});
