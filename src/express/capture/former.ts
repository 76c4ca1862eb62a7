/** Calls the functions that a response had before a capture began, with nothing of the capture in their way. */

import { type Answered, type FieldTable, fieldsOf, type HeadCall, isSame, overlaid, readHead } from './answered.ts';
import { type Callable, Overlay } from './overlay.ts';
import type { ResponseLike } from '../request.ts';

/** The functions of a response as they were before a capture began. */
export type Real = Pick<ResponseLike, Name>;

const names = [
  'writeHead',
  'write',
  'end',
  'flushHeaders',
  'destroy',
  'setHeader',
  'appendHeader',
  'removeHeader',
  'addTrailers',
] as const;
type Name = (typeof names)[number];

/** What Node's own code, and packages, use of a response beside its public side. */
interface Inner {
  finished: boolean;
  _header: string | null;
  _storeHeader?: (...args: never[]) => unknown;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
}

/** Stands in `_header` while the handler has given its head and nothing was sent: then Node refuses what it should. */
const veil = '\r\n';

export interface FormerOptions {
  /** Called when a function from before the capture, while it sends the head, has set another `Set-Cookie`. */
  readonly onCookie: () => void;
  /** Runs everything that was there before the capture, such as other middleware's `writeHead`. */
  readonly around: <Result>(run: () => Result) => Result;
}

/** A head that the handler gave and that was not sent yet. */
export interface OwedHead {
  readonly args: readonly unknown[];
  readonly call: HeadCall;
  /** The handler itself called `writeHead`, and so Node does not know the length of a body that comes in one piece. */
  readonly explicit: boolean;
  /** No field was set when the handler called `writeHead`. */
  readonly bare: boolean;
}

export class Former {
  /** True after somebody began to answer through `real`. */
  answered = false;
  /** How many calls of former functions are running now. */
  inside = 0;
  owed: OwedHead | undefined;
  readonly before: FieldTable;
  #real: Real | undefined;
  readonly #res: ResponseLike & Inner;
  readonly #functions: Readonly<Record<Name, Callable>>;
  readonly #storeHeader: Callable | undefined;
  readonly #options: FormerOptions;
  readonly #flags: Pick<ResponseLike & Inner, (typeof flags)[number]>;
  #veiled = false;
  readonly #takeover: Overlay;

  constructor(res: ResponseLike, options: FormerOptions) {
    this.#res = res as ResponseLike & Inner;
    this.#options = options;
    this.#takeover = new Overlay(res);
    this.before = fieldsOf(res);
    this.#functions = functionsOf(res);
    this.#storeHeader = this.#res._storeHeader as Callable | undefined;
    this.#flags = pick(this.#res);
  }

  get real(): Real {
    this.#real ??= Object.fromEntries(
      names.map((name) => [name, (...args: unknown[]) => this.#answer(name, args)]),
    ) as unknown as Real;
    return this.#real;
  }

  /** True once the head went, or cannot be taken back. */
  get sent(): boolean {
    return this.#res.headersSent && !this.#veiled;
  }

  /** True once the response has ended. */
  get finished(): boolean {
    return this.#res.finished;
  }

  /** Makes the response look to the handler as if its head were sent. */
  pretendSent(on: boolean): void {
    if (on && this.#res._header === null) {
      this.#res._header = veil;
      this.#veiled = true;
    } else if (!on && this.#veiled) {
      this.#veiled = false;
      if (this.#res._header === veil) this.#res._header = null;
    }
  }

  /** Calls a former function; a head that is owed goes first, in the way in which the handler gave it. */
  call(name: Name, args: readonly unknown[]): unknown {
    return this.#enter(() => {
      if (this.owed !== undefined && sends.has(name) && !this.sent) this.#payFirst();
      return Reflect.apply(this.#functions[name], this.#res, args);
    });
  }

  /** Sends the head through everything that was there before the capture. */
  head(args: readonly unknown[]): unknown {
    return this.#enter(() => {
      this.#watchCookies(args);
      return Reflect.apply(this.#functions.writeHead, this.#res, args);
    });
  }

  /** Sends a head that the handler wrote itself, now. */
  payExplicit(): void {
    if (this.owed?.explicit === true && !this.sent) this.#enter(() => this.#payFirst());
  }

  /** Gives the response the fields, the status and the trailers that it had when the capture began. */
  reset(): void {
    this.#enter(() => {
      if (this.sent) return;
      for (const [key, [name]] of fieldsOf(this.#res)) if (!this.before.has(key)) this.#res.removeHeader(name);
      const now = fieldsOf(this.#res);
      for (const [key, line] of this.before) if (!isSame(line, now.get(key))) this.#res.setHeader(line[0], line[1]);
      this.#res.addTrailers({});
      // Removing a field also tells Node not to add it by itself: that was the handler's wish, not that of who answers now.
      Object.assign(this.#res, this.#flags);
    });
  }

  /** Gives the response the head of an answer that was held. */
  say(answered: Answered): void {
    this.owed = undefined;
    this.#enter(() => {
      for (const [name, value] of answered.lines) this.#res.setHeader(name, value);
      this.#res.statusCode = answered.status;
      if (answered.statusText !== undefined) this.#res.statusMessage = answered.statusText;
    });
  }

  #answer(name: Name, args: readonly unknown[]): unknown {
    if (sends.has(name) || name === 'writeHead') {
      this.answered = true;
      this.pretendSent(false);
      this.owed = undefined;
      if (name === 'writeHead') return this.head(args);
      if (!this.sent) this.#takeHead();
    }
    return this.call(name, args);
  }

  #payFirst(): void {
    const owed = this.owed;
    if (owed?.explicit === true) {
      this.owed = undefined;
      this.head(owed.bare ? this.#merged(owed) : owed.args);
    } else {
      this.#takeHead();
    }
  }

  /** Node, and other middleware, ask `res.writeHead` for a head that nobody wrote: from now on that comes straight here. */
  #takeHead(): void {
    this.#takeover.put('writeHead', this.#take);
  }

  readonly #take = (...args: unknown[]): unknown => {
    const owed = this.owed;
    this.owed = undefined;
    // With a status alone the newer one counts: other middleware may have changed it.
    const result = this.head(owed !== undefined && owed.args.length > 1 ? owed.args : args);
    this.#takeover.remove('writeHead');
    return result;
  };

  /**
   * Fields in an array go past those that were set only if none was. If one was set since the handler's call, they are
   * set as well, with all values of a name that comes twice.
   */
  #merged(owed: OwedHead): readonly unknown[] {
    if (this.#res.getHeaderNames().length === 0 || !Array.isArray(owed.args.at(-1))) return owed.args;
    for (const line of overlaid(new Map(), owed.call.lines).values()) this.#res.setHeader(line[0], line[1]);
    return owed.args.slice(0, -1);
  }

  /** Looks at the fields when Node writes them down, which is after all other middleware and before anything is sent. */
  #watchCookies(args: readonly unknown[]): void {
    const store = this.#storeHeader;
    if (store === undefined) return;
    const before = cookiesOf(this.#res, args);
    this.#res._storeHeader = (...stored: unknown[]): unknown => {
      delete this.#res._storeHeader;
      const now = this.#res.getHeader('set-cookie');
      if (now !== undefined && String(now) !== before) this.#options.onCookie();
      return Reflect.apply(store, this.#res, stored);
    };
  }

  #enter<Result>(run: () => Result): Result {
    const veiled = this.#veiled;
    if (veiled) this.pretendSent(false);
    this.inside += 1;
    try {
      return this.inside === 1 ? this.#options.around(run) : run();
    } finally {
      this.inside -= 1;
      if (veiled && !this.answered) this.pretendSent(true);
    }
  }
}

function functionsOf(res: ResponseLike): Readonly<Record<Name, Callable>> {
  const { writeHead, write, end, flushHeaders, destroy, setHeader, appendHeader, removeHeader, addTrailers } =
    res as unknown as Record<Name, Callable>;
  return { writeHead, write, end, flushHeaders, destroy, setHeader, appendHeader, removeHeader, addTrailers };
}

const sends: ReadonlySet<Name> = new Set<Name>(['write', 'end', 'flushHeaders']);

const flags = [
  'statusCode',
  'statusMessage',
  'sendDate',
  '_removedConnection',
  '_removedContLen',
  '_removedTE',
] as const;

function pick(res: ResponseLike & Inner): Pick<ResponseLike & Inner, (typeof flags)[number]> {
  const { statusCode, statusMessage, sendDate, _removedConnection, _removedContLen, _removedTE } = res;
  return { statusCode, statusMessage, sendDate, _removedConnection, _removedContLen, _removedTE };
}

/** The `Set-Cookie` lines as they will be with the arguments of `writeHead`, in one text. */
function cookiesOf(res: ResponseLike, args: readonly unknown[]): string | undefined {
  const said = args.length > 1 ? overlaid(new Map(), readHead(args)?.lines ?? []).get('set-cookie')?.[1] : undefined;
  const value = said ?? res.getHeader('set-cookie');
  return value === undefined ? undefined : String(value);
}
