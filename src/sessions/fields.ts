/** Holds the fields of a session as JSON: whole, as it was stored, or each by itself. One is made of the other when somebody asks. */

/** Top-level fields by name, each as `JSON.stringify` writes it: two that are written alike are the same. */
export type Texts = ReadonlyMap<string, string>;

/** Never changes; what it hands out belongs to whoever asked. */
export class Fields {
  #json: string | undefined;
  #texts: Texts | undefined;
  #decode: (() => object) | undefined;

  /** @param json as `JSON.stringify` writes an object */
  static ofJson(json: string): Fields {
    const fields = new Fields();
    fields.#json = json;
    return fields;
  }

  static ofTexts(texts: Texts): Fields {
    const fields = new Fields();
    fields.#texts = texts;
    return fields;
  }

  /** @param decode returns them, each time anew */
  static ofDecoded(decode: () => object): Fields {
    const fields = new Fields();
    fields.#decode = decode;
    return fields;
  }

  /** All of them, as one JSON object. */
  get json(): string {
    this.#json ??= this.#texts === undefined ? JSON.stringify(this.#decode?.() ?? {}) : joined(this.#texts);
    return this.#json;
  }

  /** @param like what many of the fields may be equal to: those need not be looked through */
  texts(like?: Texts): Texts {
    this.#texts ??= split(this.json, like);
    return this.#texts;
  }

  values(): Record<string, unknown> {
    const values = this.#json === undefined && this.#decode !== undefined ? this.#decode() : valueIn(this.json);
    return values as Record<string, unknown>;
  }

  /** An object that looks like them, and reads a field when somebody looks at it. */
  view(): Record<string, unknown> {
    const view = {};
    for (const [name, text] of this.texts())
      Object.defineProperty(view, name, { get: () => valueIn(text), enumerable: true, configurable: true });
    return view;
  }

  /** These and one more. */
  with(name: string, value: string): Fields {
    const more = `${JSON.stringify(name)}:${JSON.stringify(value)}}`;
    return Fields.ofJson(this.json === '{}' ? `{${more}` : `${this.json.slice(0, -1)},${more}`);
  }
}

/** Writes a value as JSON, and what JSON leaves out as nothing. */
export function textOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}

/** Returns the value that `text` stands for, each time a new one. */
export function valueIn(text: string): unknown {
  return JSON.parse(text) as unknown;
}

function joined(texts: Texts): string {
  let json = '';
  for (const [name, text] of texts) json += `${json === '' ? '{' : ','}${JSON.stringify(name)}:${text}`;
  return json === '' ? '{}' : `${json}}`;
}

/** Takes an object of JSON apart without reading its values. */
function split(json: string, like: Texts | undefined): Texts {
  const texts = new Map<string, string>();
  for (let at = 1; at < json.length - 1; at += 1) {
    const nameEnd = endOfString(json, at);
    const plain = json.slice(at + 1, nameEnd - 1);
    const name = plain.includes('\\') ? String(valueIn(`"${plain}"`)) : plain;
    at = nameEnd + 1;
    const text = knownAt(json, at, like?.get(name)) ?? json.slice(at, endOfValue(json, at));
    texts.set(name, text);
    at += text.length;
  }
  return texts;
}

const [quote, comma, backslash] = [0x22, 0x2c, 0x5c];
const [open, close, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d];

/** A value that begins as `text` does, and ends where that ends, is `text`. */
function knownAt(json: string, at: number, text: string | undefined): string | undefined {
  // Compared as a whole; `startsWith` looks at one letter after the other.
  if (text === undefined || json.slice(at, at + text.length) !== text) return undefined;
  const next = json.charCodeAt(at + text.length);
  return next === comma || next === close ? text : undefined;
}

function endOfValue(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at) - 1;
    else if (code === open || code === openList) depth += 1;
    else if (depth === 0 && (code === comma || code === close)) return at;
    else if (code === close || code === closeList) depth -= 1;
  }
  return json.length;
}

/** @param from where its first quote stands */
function endOfString(json: string, from: number): number {
  let at = json.indexOf('"', from + 1);
  while (at > 0 && isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at < 0 ? json.length : at + 1;
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json.charCodeAt(before - 1) === backslash) before -= 1;
  return (at - before) % 2 === 1;
}
