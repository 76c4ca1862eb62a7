/** Gives a response a second life without a client: where can a handler that runs behind a finished answer write to? */

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { IncomingLike, ResponseLike } from '../request.ts';
import { closeSink, sink } from './sink.ts';

/**
 * Makes `res`, whose first answer has emitted `close`, a response to `req` that nobody has answered yet.
 *
 * Whoever holds a reference to it finds what a handler finds: no status, no fields, no listeners, and a client that takes
 * everything. What is written goes nowhere; `finish` and `close` come as they should. Functions that other middleware put over
 * those of the first life are gone with it; what else is on the object, such as `res.locals` and Express's functions, stays.
 */
export function ghost(req: IncomingLike, res: ResponseLike): void {
  renew(res, sink(req));
  Object.defineProperty(res, mark, { value: true, configurable: true });
  // A handler may destroy the socket. The client's is not its own any more: it may carry other answers by now.
  const socket = standIn(req.socket, res);
  const inner = res as ResponseLike & { socket: Socket | null };
  inner.socket = socket;
  req.socket = socket;
  // The request is over, too; a handler that looks whether somebody is still there should go on.
  for (const [name, value] of Object.entries(alive)) {
    Object.defineProperty(req, name, { value, configurable: true, writable: true });
  }
  res.once('finish', () => {
    inner.socket = null;
  });
}

/** Tells whether nobody gets what is written on `res`. */
export function isGhost(res: ResponseLike): boolean {
  return Object.hasOwn(res, mark);
}

const mark = Symbol('hotshelf.ghost');

const alive = { destroyed: false, closed: false, aborted: false, errored: null };

/** Puts the fields of `fresh` in the place of those that `res` has of its first life. */
function renew(res: ResponseLike, fresh: object): void {
  const kin = namesOf(fresh);
  for (const name of Reflect.ownKeys(res)) if (kin.has(name)) Reflect.deleteProperty(res, name);
  Object.defineProperties(res, Object.getOwnPropertyDescriptors(fresh));
}

/** The names that a response has of itself, of its classes, of streams and of emitters. */
function namesOf(fresh: object): ReadonlySet<string | symbol> {
  const names = new Set<string | symbol>();
  for (let at: object | null = fresh; at !== null && at !== Object.prototype; at = Reflect.getPrototypeOf(at)) {
    for (const name of Reflect.ownKeys(at)) names.add(name);
  }
  return names;
}

/** A socket that tells of the client what `socket` tells, and does nothing to it. */
function standIn(socket: Socket, res: ResponseLike): Socket {
  const stub = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  // Of an error of its socket a response tells nobody.
  stub.on('error', () => undefined);
  stub.on('finish', () => stub.destroy());
  stub.on('close', () => closeSink(res));
  return new Proxy(socket, {
    get(target, name, proxy: Socket) {
      if (name === 'destroySoon' || name === 'resetAndDestroy') return () => stub.destroy();
      if (settings.has(name)) return () => proxy;
      // Each function works on its own object: what the one's lack, they must not find in the other.
      const owner = name in stub ? stub : target;
      const value: unknown = Reflect.get(owner, name);
      if (typeof value !== 'function' || name === 'constructor') return value;
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(value, owner, args);
        return result === stub ? proxy : result;
      };
    },
    set: (_target, name, value) => Reflect.set(stub, name, value),
  });
}

const settings: ReadonlySet<string | symbol> = new Set(['setTimeout', 'setKeepAlive', 'setNoDelay', 'ref', 'unref']);
