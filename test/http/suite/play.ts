/** Plays the published suite against a server, with the suite's own client. */

import { setBaseUrl, setFetch } from 'http-cache-tests/client/config.mjs';
import { makeCacheTest, testResults, testUUIDs } from 'http-cache-tests/client/test.mjs';
import sets, { type Kind, type PublishedTest } from 'http-cache-tests/tests/index.mjs';
import { sleep } from '../../kit/wait.ts';
import { createFetch } from './fetch.ts';
import { isCurrent, kindOf, restsOf } from './newest.ts';

export interface Tally {
  readonly passed: readonly string[];
  /** What was wrong, by the test's id. */
  readonly failed: Readonly<Record<string, string>>;
  /** Those that say nothing, because a test that they rest on has failed; by the test's id. */
  readonly moot: Readonly<Record<string, string>>;
}
export type Results = Readonly<Record<Kind, Tally>>;

/** Tells a test in another way. */
export type Retell = (test: PublishedTest) => PublishedTest;

export interface Player {
  /**
   * Plays all tests that are not for browsers against the server at `url`, each as `retell` tells it. Plays may overlap.
   */
  play(url: string, retell?: Retell): Promise<Results>;
  close(): void;
}

/** The tests that count, each with its kind. */
export const tests: readonly PublishedTest[] = sets
  .flatMap((set) => set.tests)
  .filter((test) => test.browser_only !== true && isCurrent(test))
  .map((test) => Object.assign({}, test, { kind: kindOf(test) }));

/** Tests begin one after the other, and slower on a busy machine: some are about what happens within two seconds. */
const apartMs = 4;
/** These get a second chance, for the machine may have stood still during these two seconds. */
const hurried = /^304-etag-|^cc-resp-must-revalidate-stale$|^freshness-expires-invalid-date$/;

/**
 * The suite's client keeps its results, its `fetch` and the server's address in module variables. Here every play has test ids
 * of its own, and a request finds its server by the name that the client made for the test. One player a process.
 */
export function createPlayer(): Player {
  const fetch = createFetch();
  const urls = new Map<string, string>();
  let plays = 0;
  let turn = Promise.resolve();
  setBaseUrl('');
  setFetch(async (path, init) => {
    // The client begins a test before we know its name in the path.
    await Promise.resolve();
    const url = urls.get(path.split(/[/?]/)[2] ?? '');
    if (url === undefined) throw new Error(`No server is known for ${path}`);
    return fetch(url + path, init);
  });

  const run = async (test: PublishedTest, url: string, play: number): Promise<string | undefined> => {
    const id = `${test.id} in play ${play}`;
    const done = makeCacheTest(Object.assign(structuredClone(test), { id }));
    const name = testUUIDs[id];
    if (name !== undefined) urls.set(name, url);
    await done;
    const result = testResults[id];
    return result === true ? undefined : (result?.join(': ') ?? 'did not run');
  };

  return {
    async play(url, retell = (test) => test) {
      const play = plays++;
      const wrongs = tests.map(async (test) => {
        await (turn = turn.then(() => sleep(apartMs)));
        const wrong = await run(retell(test), url, play);
        return wrong === undefined || !hurried.test(test.id) ? wrong : run(retell(test), url, plays++);
      });
      return tally(await Promise.all(wrongs));
    },
    close: () => fetch.close(),
  };
}

function tally(wrongs: readonly (string | undefined)[]): Results {
  const wrongOf = new Map(tests.map(({ id }, at) => [id, wrongs[at]]));
  const byId = new Map(tests.map((test) => [test.id, test]));
  const brokenRest = (test: PublishedTest): string | undefined =>
    restsOf(test).find((id) => {
      const rest = byId.get(id);
      return wrongOf.get(id) !== undefined || (rest !== undefined && brokenRest(rest) !== undefined);
    });
  const of = (kind: Kind): Tally => {
    const passed: string[] = [];
    const failed: Record<string, string> = {};
    const moot: Record<string, string> = {};
    for (const test of tests.filter((each) => each.kind === kind)) {
      const wrong = wrongOf.get(test.id);
      const rest = brokenRest(test);
      if (wrong !== undefined) failed[test.id] = wrong;
      else if (rest !== undefined) moot[test.id] = rest;
      else passed.push(test.id);
    }
    return { passed, failed, moot };
  };
  return { required: of('required'), optimal: of('optimal'), check: of('check') };
}
