/** Shows that messages between processes say what was meant, and that nothing else is taken for one. */

import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  decodeMessage,
  type Drop,
  encodeBye,
  encodeDone,
  encodeDrop,
  encodeHello,
  who,
} from '../../../src/cache/local/message.ts';

const names = fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 300, size: 'max' });
const drop = fc.record({ keys: names, tags: names, prefixes: names }, { requiredKeys: [] });
const reply = fc.option(fc.record({ to: fc.string(), id: fc.nat() }), { nil: undefined });

function decoded(text: string): Drop {
  const message = decodeMessage(text);
  if (message?.type !== 'drop') throw new Error(`Expected a drop, got ${text}`);
  return message.drop;
}

describe('messages', () => {
  it('say together what was to be dropped, in its order, and the last alone asks for a reply', () => {
    fc.assert(
      fc.property(drop, reply, (whole, wanted) => {
        const texts = encodeDrop(whole, wanted);
        const parts = texts.map(decoded);
        for (const kind of ['keys', 'tags', 'prefixes'] as const)
          expect(parts.flatMap((part) => part[kind] ?? [])).toEqual(whole[kind] ?? []);
        const replies = texts.map((text) => {
          const message = decodeMessage(text);
          return message?.type === 'drop' ? message.reply : 'no drop';
        });
        expect(replies.slice(0, -1).every((each) => each === undefined)).toBe(true);
        if (texts.length > 0) expect(replies.at(-1)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('have 200 names at most, and no more messages than that needs', () => {
    fc.assert(
      fc.property(drop, (whole) => {
        const sizes = encodeDrop(whole)
          .map(decoded)
          .map(({ keys = [], tags = [], prefixes = [] }) => keys.length + tags.length + prefixes.length);
        const total = Object.values(whole).flat().length;
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total);
        expect(sizes).toHaveLength(Math.ceil(total / 200));
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(200);
      }),
      { numRuns: 300 },
    );
  });

  it('of listeners come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (name, id) => {
        expect(decodeMessage(who)).toEqual({ type: 'who' });
        expect(decodeMessage(encodeHello(name))).toEqual({ type: 'hello', name });
        expect(decodeMessage(encodeBye(name))).toEqual({ type: 'bye', name });
        expect(decodeMessage(encodeDone(id, name))).toEqual({ type: 'done', id, name });
      }),
    );
  });

  it('are compact', () => {
    expect(encodeDrop({ keys: ['hs:city:#7'] })).toEqual(['{"v":1,"k":["hs:city:#7"]}']);
    expect(encodeDrop({})).toEqual([]);
  });

  it.each([
    '',
    'null',
    '1',
    '[]',
    '{}',
    '{"v":1}',
    '{"k":["a"]}',
    '{"v":2,"k":["a"]}',
    '{"v":"1","k":["a"]}',
    '{"v":1,"k":"a"}',
    '{"v":1,"k":[1]}',
    '{"v":1,"t":{"0":"a"}}',
    '{"v":1,"p":null}',
    '{"v":1,"k":["a"],"r":1}',
    '{"v":1,"k":["a"],"r":[1,"a"]}',
    '{"v":1,"done":"1","name":"a"}',
    '{"v":1,"done":1,"name":2}',
    '{"v":1,"k":["a"]',
  ])('that are malformed or of a later version are not understood: %s', (text) => {
    expect(decodeMessage(text)).toBeUndefined();
  });

  it('never throw, and are never half understood', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.tuple(drop, fc.nat(), fc.string()).map(mutated));
    fc.assert(
      fc.property(texts, (text) => {
        const message = decodeMessage(text);
        if (message?.type !== 'drop') return;
        for (const kind of [message.drop.keys, message.drop.tags, message.drop.prefixes])
          expect((kind ?? []).every((name) => typeof name === 'string')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function mutated([whole, at, text]: [Drop, number, string]): string {
  const original = encodeDrop(whole)[0] ?? '';
  const place = at % (original.length + 1);
  return original.slice(0, place) + text + original.slice(place + text.length);
}
