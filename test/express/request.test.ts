/** Keeps the structural types of the edge assignable from what users have. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import { describe, expectTypeOf, it } from 'vitest';
import type { IncomingLike, Middleware, ResponseLike } from '../../src/express/request.ts';

describe('request and response', () => {
  it('fit Express and node:http without a cast', () => {
    expectTypeOf<Request>().toExtend<IncomingLike>();
    expectTypeOf<Response>().toExtend<ResponseLike>();
    expectTypeOf<IncomingMessage>().toExtend<IncomingLike>();
    expectTypeOf<ServerResponse>().toExtend<ResponseLike>();
    expectTypeOf<Middleware>().toExtend<RequestHandler>();
    const middleware: Middleware = (_req, _res, next) => next();
    createServer((req, res) => void middleware(req, res, () => undefined)).close();
  });
});
