/** Makes values of every kind that the json codec takes, for property tests. */

import * as fc from 'fast-check';

/** Text of every kind, lone surrogates too. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', 'a', '"', '\\', '\u2028', '\u0000', 'é'), maxLength: 6 }),
);
const name = fc.oneof(
  text,
  fc.constantFrom(
    '$date',
    '$map',
    '$set',
    '$object',
    '$num',
    '$undefined',
    '$',
    '$x',
    '__proto__',
    'constructor',
    'toString',
  ),
);
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 5e-324),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt(),
  // Valid ones: to Node's isDeepStrictEqual no two invalid Dates are equal. A test of the json codec has those.
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 6 }),
);
/** Everything that can be cached, nested, with the names that tagged JSON and JavaScript give a meaning. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const part = tie('part');
  const object = fc.array(fc.tuple(name, part), { maxLength: 4 }).map((members) => {
    const made = {};
    for (const [key, content] of members) {
      Object.defineProperty(made, key, { value: content, writable: true, enumerable: true, configurable: true });
    }
    return made;
  });
  return {
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      object,
      fc.array(part, { maxLength: 4 }),
      fc.array(fc.tuple(part, part), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(part, { maxLength: 3 }).map((parts) => new Set(parts)),
    ),
  };
}).part;
