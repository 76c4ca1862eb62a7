/** Repeats what the backend does not confirm: on a busy machine it may be out of reach for a moment. */
import { HotshelfError } from 'hotshelf';
import { sleep } from '../kit/wait.ts';

const mostAttempts = 400;

/** Resolves when `work` does. Rejects with what is no failure of a backend, and when there is no end to it. */
export async function insist<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HotshelfError) || attempt === mostAttempts) throw error;
      await sleep(25);
    }
  }
}
