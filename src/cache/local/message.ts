/** Writes and reads the messages by which processes tell each other what to drop. */

/** What is no longer true: single keys, all that has one of the tags, all keys that begin with one of the prefixes. */
export interface Drop {
  readonly keys?: readonly string[];
  readonly tags?: readonly string[];
  readonly prefixes?: readonly string[];
}

/** Every key begins with nothing. */
export const everything: Drop = { prefixes: [''] };

/** Where the answer to an announcement is wanted. */
export interface Reply {
  /** The name of the announcer. */
  readonly to: string;
  readonly id: number;
}

export type Message =
  | { readonly type: 'drop'; readonly drop: Drop; readonly reply: Reply | undefined }
  /** A listener is there, or is no more. */
  | { readonly type: 'hello' | 'bye'; readonly name: string }
  /** Every listener shall say hello. */
  | { readonly type: 'who' }
  /** A listener has dropped what the announcement `id` said. */
  | { readonly type: 'done'; readonly id: number; readonly name: string };

const version = 1;
/** The most names in one message: no message shall hold up those behind it. */
const mostNames = 200;

export const who = JSON.stringify({ v: version, who: 1 });

export function encodeHello(name: string): string {
  return JSON.stringify({ v: version, hello: name });
}

export function encodeBye(name: string): string {
  return JSON.stringify({ v: version, bye: name });
}

export function encodeDone(id: number, name: string): string {
  return JSON.stringify({ v: version, done: id, name });
}

/** Returns the messages that say `drop`, in the order of their sending; none if nothing is to be dropped. The last asks for the reply. */
export function encodeDrop(drop: Drop, reply?: Reply): string[] {
  const parts = split(drop);
  return parts.map(({ keys, tags, prefixes }, index) =>
    JSON.stringify({
      v: version,
      k: keys,
      t: tags,
      p: prefixes,
      r: index === parts.length - 1 && reply !== undefined ? [reply.to, reply.id] : undefined,
    }),
  );
}

/** Returns what `text` says, or `undefined` if it cannot be understood, as it is with one of a later version. */
export function decodeMessage(text: string): Message | undefined {
  const raw = parse(text);
  if (raw === undefined || raw['v'] !== version) return undefined;
  const { hello, bye, done, name } = raw;
  if (typeof hello === 'string') return { type: 'hello', name: hello };
  if (typeof bye === 'string') return { type: 'bye', name: bye };
  if (raw['who'] === 1) return { type: 'who' };
  if (done === undefined) return decodeDrop(raw);
  if (typeof done !== 'number' || typeof name !== 'string') return undefined;
  return { type: 'done', id: done, name };
}

function decodeDrop({ k: keys, t: tags, p: prefixes, r: reply }: Record<string, unknown>): Message | undefined {
  if (keys === undefined && tags === undefined && prefixes === undefined) return undefined;
  if (!areNames(keys) || !areNames(tags) || !areNames(prefixes)) return undefined;
  if (reply === undefined) return { type: 'drop', drop: { keys, tags, prefixes }, reply };
  if (!Array.isArray(reply)) return undefined;
  const [to, id] = reply as readonly unknown[];
  if (typeof to !== 'string' || typeof id !== 'number') return undefined;
  return { type: 'drop', drop: { keys, tags, prefixes }, reply: { to, id } };
}

function areNames(value: unknown): value is readonly string[] | undefined {
  return value === undefined || (Array.isArray(value) && value.every((name) => typeof name === 'string'));
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function split(drop: Drop): Drop[] {
  const parts: Drop[] = [];
  let part: { keys?: string[]; tags?: string[]; prefixes?: string[] } = {};
  let left = 0;
  for (const kind of ['keys', 'tags', 'prefixes'] as const) {
    for (const name of drop[kind] ?? []) {
      if (left === 0) {
        part = {};
        parts.push(part);
        left = mostNames;
      }
      (part[kind] ??= []).push(name);
      left -= 1;
    }
  }
  return parts;
}
