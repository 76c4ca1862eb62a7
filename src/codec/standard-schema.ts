/** Tells whether a value is of the shape that a schema library describes: Standard Schema v1, which they all speak. */

import { describe, HotshelfError } from '../support/errors.ts';

/**
 * The part of a Standard Schema (standardschema.dev, version 1) that is used here. Schemas of Valibot, Zod, ArkType and others
 * are such objects as they are.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    /** The library that made it. */
    readonly vendor: string;
    /** Returns `issues` if the value does not fit. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** There is none at run time: for the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/**
 * Tells whether `value` fits `schema`. What a schema makes of the value, a default or a changed type, is not looked at.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when the schema answers with a promise; and what a schema itself throws.
 */
export function fits(schema: StandardSchema, value: unknown): boolean {
  const standard = schema['~standard'];
  const result = standard.validate(value);
  if ('then' in result) {
    // Its rejection belongs to nobody: unheard, it would end the process.
    result.then(undefined, () => undefined);
    throw new HotshelfError(
      'OPTION_INVALID',
      `The schema of ${standard.vendor} checks asynchronously, and entries are checked while they are read. Use one without async checks.`,
    );
  }
  return result.issues === undefined;
}

/**
 * @param where what the caller named it: "`schema`"
 * @throws {HotshelfError} `OPTION_INVALID` unless `value` is a schema of Standard Schema v1.
 */
export function checkSchema(value: unknown, where: string): asserts value is StandardSchema {
  // Some libraries make schemas that are functions.
  const standard: unknown =
    (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
      ? value['~standard']
      : undefined;
  if (
    typeof standard === 'object' &&
    standard !== null &&
    'version' in standard &&
    standard.version === 1 &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  ) {
    return;
  }
  throw new HotshelfError(
    'OPTION_INVALID',
    `Expected ${where} to be a schema of Standard Schema v1, as Valibot, Zod and ArkType make them, got ${describe(value)}.`,
  );
}
