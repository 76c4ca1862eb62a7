/** Walks through the text of a structured field, one character after the other: what stands here? RFC 9651 section 4.2. */

/** A bare item. A Date, a Token and a Display String need a name, to tell them from an Integer and a String. */
export type BareItem =
  | { readonly kind: 'integer' | 'decimal'; readonly value: number }
  | { readonly kind: 'string' | 'token' | 'display-string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Seconds since 1970. */
  | { readonly kind: 'date'; readonly value: number };

export type Parameters = ReadonlyMap<string, BareItem>;

export interface Item {
  readonly kind: 'item';
  readonly bare: BareItem;
  readonly parameters: Parameters;
}

export interface InnerList {
  readonly kind: 'inner-list';
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

export type Member = Item | InnerList;

/**
 * A position in a text. Every method returns what it has read, or `undefined` where the text is not that: the whole field is
 * an error then, and the position means nothing any more.
 */
export class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  skipSpaces(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }

  /** Section 4.2.1. */
  list(): Member[] | undefined {
    const members: Member[] = [];
    while (!this.atEnd) {
      const member = this.#member();
      if (member === undefined) return undefined;
      members.push(member);
      if (!this.#separated()) return undefined;
    }
    return members;
  }

  /** Section 4.2.2. */
  dictionary(): Map<string, Member> | undefined {
    const members = new Map<string, Member>();
    while (!this.atEnd) {
      const key = this.#key();
      if (key === undefined) return undefined;
      const member = this.#take('=') ? this.#member() : this.#flag();
      if (member === undefined) return undefined;
      // The last value of a key counts, at the place of the first.
      members.set(key, member);
      if (!this.#separated()) return undefined;
    }
    return members;
  }

  /** Section 4.2.3. */
  item(): Item | undefined {
    const bare = this.#bareItem();
    const parameters = bare && this.#parameters();
    return bare && parameters && { kind: 'item', bare, parameters };
  }

  /** A member without a value is true. */
  #flag(): Item | undefined {
    const parameters = this.#parameters();
    return parameters && { kind: 'item', bare: { kind: 'boolean', value: true }, parameters };
  }

  #member(): Member | undefined {
    return this.#text[this.#at] === '(' ? this.#innerList() : this.item();
  }

  /** After a member: the end, or a comma and another member. */
  #separated(): boolean {
    this.#skipWhiteSpace();
    if (this.atEnd) return true;
    if (!this.#take(',')) return false;
    this.#skipWhiteSpace();
    return !this.atEnd;
  }

  /** Section 4.2.1.2. */
  #innerList(): InnerList | undefined {
    const items: Item[] = [];
    this.#at++;
    for (;;) {
      this.skipSpaces();
      if (this.#take(')')) {
        const parameters = this.#parameters();
        return parameters && { kind: 'inner-list', items, parameters };
      }
      const item = this.item();
      if (item === undefined) return undefined;
      items.push(item);
      if (this.#text[this.#at] !== ' ' && this.#text[this.#at] !== ')') return undefined;
    }
  }

  /** Section 4.2.3.2. */
  #parameters(): Parameters | undefined {
    const parameters = new Map<string, BareItem>();
    while (this.#take(';')) {
      this.skipSpaces();
      const key = this.#key();
      if (key === undefined) return undefined;
      const value: BareItem | undefined = this.#take('=') ? this.#bareItem() : { kind: 'boolean', value: true };
      if (value === undefined) return undefined;
      parameters.set(key, value);
    }
    return parameters;
  }

  /** Section 4.2.3.3. */
  #key(): string | undefined {
    return this.#match(keyPattern);
  }

  /** Section 4.2.3.1. */
  #bareItem(): BareItem | undefined {
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === ':') return this.#bytes();
    if (first === '?') return this.#boolean();
    if (first === '@') return this.#date();
    if (first === '%') return this.#displayString();
    const token = this.#match(tokenPattern);
    return token === undefined ? this.#number() : { kind: 'token', value: token };
  }

  /** Section 4.2.4. */
  #number(): BareItem | undefined {
    const text = this.#match(numberPattern);
    if (text === undefined) return undefined;
    const digits = text.startsWith('-') ? text.slice(1) : text;
    const dot = digits.indexOf('.');
    if (dot === -1) return digits.length <= 15 ? { kind: 'integer', value: Number(text) + 0 } : undefined;
    const fraction = digits.length - dot - 1;
    return dot <= 12 && fraction >= 1 && fraction <= 3 ? { kind: 'decimal', value: Number(text) + 0 } : undefined;
  }

  /** Section 4.2.5. */
  #string(): BareItem | undefined {
    const start = ++this.#at;
    for (; !this.atEnd; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === doubleQuote) {
        const written = this.#text.slice(start, this.#at++);
        return { kind: 'string', value: written.replaceAll(/\\(["\\])/g, '$1') };
      }
      if (!isPrintable(code)) return undefined;
      // Only these two are escaped.
      if (code === backslash && !'"\\'.includes(this.#text[++this.#at] ?? ' ')) return undefined;
    }
    return undefined;
  }

  /** Section 4.2.7. */
  #bytes(): BareItem | undefined {
    const written = this.#match(bytesPattern);
    return written === undefined
      ? undefined
      : { kind: 'bytes', value: Uint8Array.from(Buffer.from(written.slice(1, -1), 'base64')) };
  }

  /** Section 4.2.8. */
  #boolean(): BareItem | undefined {
    const written = this.#match(booleanPattern);
    return written === undefined ? undefined : { kind: 'boolean', value: written === '?1' };
  }

  /** Section 4.2.9. */
  #date(): BareItem | undefined {
    this.#at++;
    const number = this.#number();
    return number?.kind === 'integer' ? { kind: 'date', value: number.value } : undefined;
  }

  /** Section 4.2.10. */
  #displayString(): BareItem | undefined {
    if (this.#text[++this.#at] !== '"') return undefined;
    const start = ++this.#at;
    for (; !this.atEnd; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === doubleQuote) return displayString(this.#text.slice(start, this.#at++));
      if (!isPrintable(code)) return undefined;
      if (code === percent && !/^[\da-f]{2}$/.test(this.#text.slice(this.#at + 1, this.#at + 3))) return undefined;
    }
    return undefined;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipWhiteSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }
}

function displayString(written: string): BareItem | undefined {
  try {
    return { kind: 'display-string', value: decodeURIComponent(written) };
  } catch {
    return undefined; // The bytes are no UTF-8.
  }
}

function isPrintable(code: number): boolean {
  return code >= 0x20 && code <= 0x7e;
}

const doubleQuote = 0x22;
const percent = 0x25;
const backslash = 0x5c;

// Sticky: each looks at one place only. None has two ways to read the same text, so none goes back.
const keyPattern = /[a-z*][a-z\d_.*-]*/y;
const tokenPattern = /[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y;
const numberPattern = /-?\d+(?:\.\d*)?/y;
const bytesPattern = /:[A-Za-z\d+/=]*:/y;
const booleanPattern = /\?[01]/y;
