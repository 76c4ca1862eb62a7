/** Says what is used of the published suite, which has no types of its own. */

declare module 'http-cache-tests/tests/index.mjs' {
  const sets: readonly import('./published-test.ts').PublishedSet[];
  export default sets;
}

declare module 'http-cache-tests/client/config.mjs' {
  export function setFetch(fetch: (url: string, init?: import('./fetch.ts').Init) => Promise<unknown>): void;
  export function setBaseUrl(url: string): void;
}

declare module 'http-cache-tests/client/test.mjs' {
  /** Of every test that was begun, the name in the path of its requests. */
  export const testUUIDs: Record<string, string>;
  /** Of every test that has ended: `true`, or the kind of the failure and what was wrong. */
  export const testResults: Record<string, true | readonly [kind: string, message: string]>;
  export function makeCacheTest(test: import('./published-test.ts').PublishedTest): Promise<void>;
}

declare module 'http-cache-tests/server/handle-config.mjs' {
  export default function handleConfig(
    path: readonly string[],
    req: import('node:http').IncomingMessage,
    res: import('node:http').ServerResponse,
  ): void;
}

declare module 'http-cache-tests/server/handle-state.mjs' {
  export { default } from 'http-cache-tests/server/handle-config.mjs';
}

declare module 'http-cache-tests/server/handle-test.mjs' {
  export { default } from 'http-cache-tests/server/handle-config.mjs';
}
