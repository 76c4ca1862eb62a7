/** Joins all reads of one tick into one command for each server or slot. */

import type { HotshelfError } from '../../src/support/errors.ts';
import type { Reply } from './client.ts';
import { isMoving } from './errors.ts';
import { Errand, type Lane } from './lane.ts';
import type { Nodes } from './nodes.ts';

/** More keys than this go in several commands: a server does nothing else while it answers one. */
const keysPerCommand = 512;

/** Waits for one key: is answered with its bytes, or `null`; also the errand of a command for that key alone. */
export type Reader = Errand;

export class Batch {
  readonly #nodes: Nodes;
  readonly #only: Lane | undefined;
  /** The first read of a tick, which is often the only one. */
  #key = '';
  #reader: Reader | undefined;
  /** The others. */
  #keys: string[] = [];
  #readers: Reader[] = [];
  readonly #flush = () => this.#send();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.#only = nodes.only;
  }

  /** @param key with its prefix */
  read(key: string, reader: Reader): void {
    if (this.#reader === undefined) {
      this.#key = key;
      this.#reader = reader;
      // Runs after the promises of this tick: callers that one answer woke travel together again.
      process.nextTick(this.#flush);
      return;
    }
    this.#keys.push(key);
    this.#readers.push(reader);
  }

  #send(): void {
    const key = this.#key;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    if (this.#only !== undefined && this.#keys.length === 0) {
      this.#only.send('get', [key], reader);
      return;
    }
    const keys = this.#keys;
    const readers = this.#readers;
    this.#keys = [];
    this.#readers = [];
    keys.push(key);
    readers.push(reader);
    if (this.#only === undefined) this.#sendParts(keys, readers);
    else this.#sendMany(this.#only, keys, readers);
  }

  #sendMany(lane: Lane, keys: string[], readers: Reader[]): void {
    const joint = join(keys, readers);
    if (joint.keys.length <= keysPerCommand) {
      lane.send('mget', joint.keys, new ManyReads(joint.readers));
      return;
    }
    lane.cork();
    for (let from = 0; from < joint.keys.length; from += keysPerCommand) {
      const to = from + keysPerCommand;
      lane.send('mget', joint.keys.slice(from, to), new ManyReads(joint.readers.slice(from, to)));
    }
  }

  #sendParts(keys: string[], readers: Reader[]): void {
    const { starting } = this.#nodes;
    if (starting !== undefined) {
      void starting.then(() => this.#sendParts(keys, readers));
      return;
    }
    const joint = join(keys, readers);
    for (const part of this.#nodes.split(joint.keys, (place, error) => joint.readers[place]?.fail(error))) {
      const waiting = part.places.map((place) => joint.readers[place]);
      const again = () => this.#readEach(part.keys, waiting);
      part.lane.cork();
      if (part.keys.length > 1) part.lane.send('mget', part.keys, new ManyReads(waiting, again));
      else part.lane.send('get', part.keys, new ManyReads(waiting, again));
    }
  }

  /** A slot that is moving answers for one key where it cannot answer for many. */
  #readEach(keys: readonly string[], readers: readonly (Reader | undefined)[]): void {
    for (const [index, key] of keys.entries()) {
      const reader = readers[index];
      this.#nodes.run(key, 'get', [key]).then(
        (data) => reader?.answer(data),
        (error: HotshelfError) => reader?.fail(error),
      );
    }
  }
}

class ManyReads extends Errand {
  readonly #readers: readonly (Reader | undefined)[];
  readonly #again: (() => void) | undefined;

  constructor(readers: readonly (Reader | undefined)[], again?: () => void) {
    super();
    this.#readers = readers;
    this.#again = again;
  }

  answer(reply: Reply): void {
    // GET answers the bytes themselves.
    const found = Array.isArray(reply) ? reply : [reply];
    const readers = this.#readers;
    for (let index = 0; index < readers.length; index += 1) readers[index]?.answer(found[index] ?? null);
  }

  fail(error: HotshelfError): void {
    if (this.#again !== undefined && isMoving(error)) this.#again();
    else for (const reader of this.#readers) reader?.fail(error);
  }
}

/** Several who wait for the same key. */
class SharedReader extends Errand {
  readonly #readers: Reader[];

  constructor(reader: Reader) {
    super();
    this.#readers = [reader];
  }

  add(reader: Reader): void {
    this.#readers.push(reader);
  }

  answer(data: Reply): void {
    for (const reader of this.#readers) reader.answer(data);
  }

  fail(error: HotshelfError): void {
    for (const reader of this.#readers) reader.fail(error);
  }
}

/** Asks for each key once. */
function join(keys: string[], readers: Reader[]): { readonly keys: string[]; readonly readers: Reader[] } {
  if (new Set(keys).size === keys.length) return { keys, readers };
  const shared = new Map<string, SharedReader>();
  for (const [index, key] of keys.entries()) {
    const reader = readers[index];
    if (reader === undefined) continue;
    const others = shared.get(key);
    if (others === undefined) shared.set(key, new SharedReader(reader));
    else others.add(reader);
  }
  return { keys: [...shared.keys()], readers: [...shared.values()] };
}
