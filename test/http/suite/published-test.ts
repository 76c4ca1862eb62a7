/** What a test of the published suite looks like, as far as we look at it. */

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

export interface PublishedSet {
  readonly id: string;
  readonly tests: readonly PublishedTest[];
}
