/** Reads the arguments of `write` and `end`, and keeps the bytes of a body up to a limit. */

/** The arguments of `write` or `end`. */
export interface BodyCall {
  readonly chunk: string | Uint8Array | undefined;
  readonly encoding: BufferEncoding | undefined;
  readonly callback: ((error?: Error | null) => void) | undefined;
}

/** Reads the arguments in all forms; `undefined` for anything that Node refuses: let Node say so. */
export function readBodyCall(method: 'write' | 'end', args: readonly unknown[]): BodyCall | undefined {
  const callback = args.find(isCallback);
  const encoding = typeof args[1] === 'string' && Buffer.isEncoding(args[1]) ? args[1] : undefined;
  const [given] = args;
  if (method === 'end' && (!given || given === callback)) return { chunk: undefined, encoding, callback };
  if (given instanceof Uint8Array) return { chunk: given, encoding, callback };
  if (typeof given !== 'string') return undefined;
  const isOdd = encoding === undefined && Boolean(args[1]) && args[1] !== callback;
  return isOdd ? undefined : { chunk: given, encoding, callback };
}

function isCallback(value: unknown): value is (error?: Error | null) => void {
  return typeof value === 'function';
}

/** Returns the bytes of a call. Always a copy: once the response took a chunk, the handler may use its memory again. */
export function bytesOf(call: BodyCall): Buffer {
  if (call.chunk === undefined) return nothing;
  return typeof call.chunk === 'string' ? Buffer.from(call.chunk, call.encoding) : Buffer.from(call.chunk);
}

export const nothing: Buffer = Buffer.alloc(0);

/** Keeps the chunks of a body; refuses what goes above `maxBytes`. */
export class KeptBody {
  bytes = 0;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps `chunk`; `false` if that would be too much. */
  add(chunk: Buffer): boolean {
    if (this.bytes + chunk.length > this.#maxBytes) return false;
    this.bytes += chunk.length;
    if (chunk.length > 0) this.#chunks.push(chunk);
    return true;
  }

  /** Returns the whole, and forgets it. */
  take(): Buffer {
    const chunks = this.#chunks;
    this.#chunks = [];
    const [only] = chunks;
    if (only !== undefined && chunks.length === 1) return only;
    return Buffer.concat(chunks, this.bytes);
  }
}
