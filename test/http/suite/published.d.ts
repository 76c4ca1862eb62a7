/** Says what is used of the published suite, which has no types of its own. */

declare module 'http-cache-tests/tests/index.mjs' {
  export type Kind = 'required' | 'optimal' | 'check';

  /** A field; a number stands for a date so many seconds from now; `false`: not compared with what the client gets. */
  export type PublishedField = readonly [name: string, value: string | number, compared?: boolean];

  export interface PublishedRequest {
    readonly response_headers?: readonly PublishedField[];
  }

  export interface PublishedTest {
    readonly id: string;
    readonly name: string;
    readonly kind?: Kind;
    readonly browser_only?: boolean;
    /** Ids of tests without which this one says nothing. */
    readonly depends_on?: readonly string[];
    readonly requests: readonly PublishedRequest[];
  }

  const sets: readonly { readonly id: string; readonly tests: readonly PublishedTest[] }[];
  export default sets;
}

declare module 'http-cache-tests/client/config.mjs' {
  interface Init {
    readonly method?: string;
    readonly headers?: readonly (readonly [name: string, value: string])[];
    readonly body?: string;
  }
  export function setFetch(fetch: (url: string, init?: Init) => Promise<unknown>): void;
  export function setBaseUrl(url: string): void;
}

declare module 'http-cache-tests/client/test.mjs' {
  import type { PublishedTest } from 'http-cache-tests/tests/index.mjs';

  /** Of every test that was begun, the name in the path of its requests. */
  export const testUUIDs: Record<string, string>;
  /** Of every test that has ended: `true`, or the kind of the failure and what was wrong. */
  export const testResults: Record<string, true | readonly [kind: string, message: string]>;
  export function makeCacheTest(test: PublishedTest): Promise<void>;
}

declare module 'http-cache-tests/server/handle-config.mjs' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export default function handleConfig(path: readonly string[], req: IncomingMessage, res: ServerResponse): void;
}

declare module 'http-cache-tests/server/handle-state.mjs' {
  export { default } from 'http-cache-tests/server/handle-config.mjs';
}

declare module 'http-cache-tests/server/handle-test.mjs' {
  export { default } from 'http-cache-tests/server/handle-config.mjs';
}
