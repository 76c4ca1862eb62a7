/** Hands a request on to another process, and its answer back. */

import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import type { Target } from './front.ts';
import { sendProblem } from './problem.ts';

/** RFC 9110 section 7.6.1: these are about one connection, not about the message. */
const connectionFields = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Returns a target that is the HTTP server on a port of this machine. */
export function proxyTo(port: number): Target {
  const agent = new Agent({ keepAlive: true });
  return (request, response) => {
    const path = request.url ?? '/';
    const { method } = request;
    const headers = { ...request.headers, 'x-forwarded-for': clientsOf(request) };
    const onward = send({ host: '127.0.0.1', port, method, path, headers, agent });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => {
      if (response.headersSent) response.destroy();
      else sendProblem(response, 502, path, 'The instance ended before it answered.');
    });
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
}

/** Who asked is put behind whatever he says about himself: the last address that is not a proxy's is the client's. */
function clientsOf({ headers, socket }: IncomingMessage): string {
  return [headers['x-forwarded-for'], socket.remoteAddress ?? 'unknown'].flat().filter(Boolean).join(', ');
}

function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionFields.includes(name)));
}
