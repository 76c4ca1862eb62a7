/** Says what the edge needs of a request and a response, so that Express 5, Express 4 and plain `node:http` all fit. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** The part of `http.IncomingMessage` that is used, and what Express adds to it where it is there. */
export interface IncomingLike extends Pick<
  IncomingMessage,
  'method' | 'url' | 'headers' | 'rawHeaders' | 'httpVersionMajor' | 'httpVersionMinor' | 'socket'
> {
  /** Express: the URL before routers took their part off. */
  readonly originalUrl?: string;
  /** Express: the part that routers took off. */
  readonly baseUrl?: string;
  /** Express: `http` or `https`, by its `trust proxy`. */
  readonly protocol?: string;
  /** Express: the host name, by its `trust proxy`; without the port in Express 4 and 5. */
  readonly hostname?: string;
  /** Express 5: the host with its port, by its `trust proxy`. */
  readonly host?: string;
}

/** The part of `http.ServerResponse` that is used. */
export type ResponseLike = Pick<
  ServerResponse,
  | 'statusCode'
  | 'statusMessage'
  | 'sendDate'
  | 'headersSent'
  | 'writableEnded'
  | 'destroyed'
  | 'closed'
  | 'writeHead'
  | 'write'
  | 'end'
  | 'flushHeaders'
  | 'destroy'
  | 'setHeader'
  | 'appendHeader'
  | 'removeHeader'
  | 'addTrailers'
  | 'hasHeader'
  | 'getHeader'
  | 'getHeaders'
  | 'getHeaderNames'
> & {
  /* Said again with few words: the listeners' types of Express, of Node and of their versions differ. */
  on(event: string, listener: (...values: never[]) => void): unknown;
  once(event: string, listener: (...values: never[]) => void): unknown;
  removeListener(event: string, listener: (...values: never[]) => void): unknown;
  emit(event: string, ...values: unknown[]): boolean;
};

/** Goes on to the next handler, or to the error handlers. */
export type Next = (error?: unknown) => void;

export type Middleware<Request = IncomingLike> = (req: Request, res: ResponseLike, next: Next) => void | Promise<void>;
