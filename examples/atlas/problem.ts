/** Errors as the client sees them: `application/problem+json`, RFC 9457. */

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { HotshelfError } from 'hotshelf';
import { SessionError } from 'hotshelf/sessions';
import { DatabaseUnusable } from './database/database.ts';

type Fields = Readonly<Record<string, string>>;

/** Thrown by a route to answer with a status and a sentence. */
export class Problem extends Error {
  readonly status: number;
  /** Header fields of the answer. */
  readonly headers: Fields;

  constructor(status: number, detail: string, headers: Fields = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Answers with a problem; it needs no framework, so that the front can use it too. */
export function sendProblem(response: ServerResponse, status: number, path: string, detail?: string): void {
  const title = STATUS_CODES[status] ?? 'Error';
  // RFC 9457 section 4.2.1: "about:blank" says that the title is that of the status, and no more.
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, instance: path });
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

export const noSuchRoute: RequestHandler = (request) => {
  throw new Problem(404, `There is nothing at ${request.path}.`);
};

/** Ends a route: any method that it does not have. */
export function onlyMethods(...methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (request, response) => {
    response.setHeader('Allow', allowed);
    if (request.method !== 'OPTIONS') throw new Problem(405, `${request.path} knows ${allowed}.`);
    response.status(204).end();
  };
}

/** The last middleware. Tells the client what it did wrong, and nothing of what went wrong here: that goes to `report`. */
export function problems(report: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const { status, detail, headers } = explain(error);
    if (status >= 500) report(error);
    if (response.headersSent) return next(error);
    response.set(headers);
    sendProblem(response, status, request.originalUrl, detail);
  };
}

const bodyProblems: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'The body is not valid JSON.',
  'entity.too.large': 'The body is too large.',
};

/** Cities come from the database then; what only the store knows is not there. */
const storeFailures: ReadonlySet<string> = new Set([
  'BACKEND_DOWN',
  'BACKEND_REFUSED',
  'OUTCOME_UNKNOWN',
  'BOARD_FULL',
]);

interface Explanation {
  readonly status: number;
  readonly detail?: string | undefined;
  readonly headers?: Fields;
}

function explain(error: unknown): Explanation {
  if (error instanceof Problem) return { status: error.status, detail: error.message, headers: error.headers };
  if (error instanceof SessionError && error.status === 503)
    return { status: 503, detail: 'The sessions cannot be reached.', headers: error.headers };
  const isTooSlow = error instanceof HotshelfError && error.code === 'CACHE_LOAD_TIMEOUT';
  if (isTooSlow || error instanceof DatabaseUnusable) return { status: 503, detail: 'The database does not answer.' };
  if (error instanceof HotshelfError && storeFailures.has(error.code))
    return { status: 503, detail: 'The scores cannot be reached.', headers: { 'Retry-After': '1' } };
  // Errors of Express and its body parser have a status and a type.
  const { status, type } = Object(error) as { status?: unknown; type?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { status, detail: bodyProblems[String(type)] };
  return { status: 500 };
}
