/** The fields of a session as JSON: taken apart and put together again, whatever is in them. */

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fields, type Texts } from '../../src/sessions/fields.ts';

const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a', '7', '"', '\\', '\\"', '}', ',', ''));
const texts = fc.oneof(
  fc.string(),
  fc.constantFrom('"', '\\', '\\\\"', '{"', ']}', '\u2028', '\ud800', 'gr\u00fc\u00df'),
);
const values = fc.oneof(
  { depthSize: 'small' },
  fc.jsonValue(),
  texts,
  fc.dictionary(names, fc.oneof(texts, fc.array(texts))),
);
const all = fc.dictionary(names, values, { maxKeys: 7 });

const textsOf = (fields: object): Texts =>
  new Map(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));

it('any JSON comes apart into the texts that it is made of, with and without a guess', () => {
  fc.assert(
    fc.property(all, all, (fields, others) => {
      const json = JSON.stringify(fields);
      const apart = textsOf(fields);
      expect(Fields.ofJson(json).texts()).toEqual(apart);
      for (const guess of [apart, textsOf(others), new Map(Object.keys(fields).map((name) => [name, '1']))])
        expect(Fields.ofJson(json).texts(guess)).toEqual(apart);
      expect(Fields.ofTexts(apart).json).toBe(json);
      expect(Fields.ofDecoded(() => fields).texts()).toEqual(apart);
    }),
    { numRuns: 2000 },
  );
});

it('a value is not taken for one that only begins in the same way', () => {
  const fields = Fields.ofJson(String.raw`{"n":12,"text":"a\",b","list":[1,2],"m":1}`);
  const guess = new Map(Object.entries({ n: '1', text: '"a"', list: '[1]', m: '1' }));
  expect(fields.texts(guess)).toEqual(
    new Map(Object.entries({ n: '12', text: String.raw`"a\",b"`, list: '[1,2]', m: '1' })),
  );
});

it('whoever asks for the values gets his own', () => {
  for (const fields of [
    Fields.ofJson('{"list":[1]}'),
    Fields.ofTexts(new Map([['list', '[1]']])),
    Fields.ofDecoded(() => ({ list: [1] })),
  ]) {
    (fields.values()['list'] as number[]).push(2);
    expect(fields.values()).toEqual({ list: [1] });
    expect(fields.json).toBe('{"list":[1]}');
    (fields.view()['list'] as number[]).push(2);
    expect({ ...fields.view() }).toEqual({ list: [1] });
  }
});

it('one more is in it after the others', () => {
  expect(Fields.ofJson('{}').with('id', '"').json).toBe(String.raw`{"id":"\""}`);
  expect(
    Fields.ofTexts(new Map([['a', '1']]))
      .with('id', 'x')
      .values(),
  ).toEqual({ a: 1, id: 'x' });
});
