/** Holds a response back before its first byte, until something else is done; then lets it go as it was said, or takes it back. */

import type { ServerResponse } from 'node:http';

type Call = (...args: never[]) => unknown;
type Verb = 'writeHead' | 'write' | 'end' | 'flushHeaders';
type Responder = Record<Verb, Call>;

const verbs: readonly Verb[] = ['writeHead', 'flushHeaders', 'write', 'end'];

interface Head {
  readonly status: number;
  readonly message: string;
  readonly headers: ReturnType<ServerResponse['getHeaders']>;
}

/**
 * Calls `before` when the response is about to start. If that returns a promise, the response waits for it: what is sent
 * meanwhile is kept in its order, and goes out as it was when it was given. If the promise rejects, nothing of it goes out, the
 * status and the headers are again those of now, and `failed` answers instead.
 */
export function holdResponse(
  res: ServerResponse,
  before: () => Promise<void> | undefined,
  failed: (error: unknown) => void,
): void {
  const responder = res as unknown as Responder;
  const { writeHead, write, end, flushHeaders } = responder;
  const original: Responder = { writeHead, write, end, flushHeaders };
  const untouched = headOf(res);
  const held: [verb: Verb, args: never[]][] = [];
  let state: 'waiting' | 'holding' | 'free' | 'taken back' = 'waiting';

  const letGo = (said: Head) => {
    state = 'free';
    restore(res, said);
    let flows: unknown = true;
    for (const [verb, args] of held) {
      const result = original[verb].apply(res, args);
      if (verb === 'write') flows = result;
    }
    // Each held write was answered with "wait".
    const isWaitedFor = held.some(([verb]) => verb === 'write') && !isEnded(held);
    if (isWaitedFor && flows !== false) res.emit('drain');
  };
  const takeBack = (error: unknown) => {
    state = 'taken back';
    // Not through those who wrapped the response later: they have seen its end.
    Object.assign(responder, untilEnd(res, original));
    restore(res, untouched);
    failed(error);
  };

  for (const verb of verbs) {
    responder[verb] = (...args: never[]): unknown => {
      if (state === 'waiting') {
        const done = before();
        if (done !== undefined) {
          const said = headOf(res);
          done.then(() => letGo(said), takeBack).catch(failed);
        }
        state = done === undefined ? 'free' : 'holding';
      }
      if (state === 'free') return original[verb].apply(res, args);
      if (state === 'holding' && isSaid(held, verb)) held.push([verb, args]);
      return verb === 'write' ? false : res;
    };
  }
}

/** Answers once: the handler whose response was taken back may still go on with it. */
function untilEnd(res: ServerResponse, original: Responder): Responder {
  let isOver = false;
  return {
    ...original,
    write: (...args) => (isOver ? true : original.write.apply(res, args)),
    end: (...args) => {
      if (isOver) return res;
      isOver = true;
      return original.end.apply(res, args);
    },
  };
}

/** What comes after the end is not said, as ever; and as nothing was sent, compression says the head again and again. */
function isSaid(held: readonly (readonly [Verb, unknown])[], verb: Verb): boolean {
  return !isEnded(held) && (verb !== 'writeHead' || held.length === 0);
}

function isEnded(held: readonly (readonly [Verb, unknown])[]): boolean {
  return held.at(-1)?.[0] === 'end';
}

function headOf(res: ServerResponse): Head {
  return { status: res.statusCode, message: res.statusMessage, headers: res.getHeaders() };
}

/** Changes only what differs: a header that is set again would be written in lower case. */
function restore(res: ServerResponse, { status, message, headers }: Head): void {
  res.statusCode = status;
  // HTTP/2 has none, and warns whoever sets it.
  if (res.statusMessage !== message) res.statusMessage = message;
  for (const name of res.getHeaderNames()) if (!Object.hasOwn(headers, name)) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && res.getHeader(name) !== value) res.setHeader(name, value);
  }
}
