/** Makes what is kept of what a handler answered, and of a confirmation that an earlier answer is still true. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { strongEtagOf, variantEtag } from '../../http/etag.ts';
import { type Fields, fieldValue } from '../../http/fields.ts';
import { formatHttpDate, parseHttpDate } from '../../http/http-date.ts';
import type { StoragePlan } from '../../http/storing.ts';
import { type FieldLine, storableFields, updatedFields } from '../../http/stored-fields.ts';
import { governing } from '../../http/targeted.ts';
import type { Answered } from '../capture/answered.ts';
import type { ResponseRules } from './options.ts';
import type { CodedBody, StoredAnswer } from './stored.ts';

type Rules = Pick<ResponseRules, 'targets' | 'storeSetCookie' | 'compressAboveBytes'>;

/** What only the sender of the bytes can say of them: it is said anew with each reply. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'keep-alive', 'trailer']);

/** Returns a whole answer as its own client gets it: with every field of the handler, a date and, if it is kept, an entity tag. */
export function wholeAnswer(
  answered: Answered,
  body: Buffer,
  respondedAt: number,
  isKept: boolean,
): Omit<StoredAnswer, 'stock'> {
  const { status, statusText = '', fields, removed } = answered;
  const lines = answered.lines.filter(([name]) => !framing.has(name.toLowerCase()));
  const given = fieldValue(fields, 'etag');
  const etag = given ?? (status === 200 && isKept ? strongEtagOf(body) : undefined);
  if (given === undefined && etag !== undefined) lines.push(['ETag', etag]);
  // RFC 9110 section 6.6.1; the age of what is kept is counted from it.
  if (fieldValue(fields, 'date') === undefined) lines.push(['Date', formatHttpDate(respondedAt)]);
  const lastModified = fieldValue(fields, 'last-modified');
  return {
    kind: 'answer',
    status,
    statusText,
    lines,
    removed: removed.length === 0 ? undefined : removed,
    body,
    coded: undefined,
    etag,
    etagIsOrigins: given !== undefined,
    lastModified,
    lastModifiedMs: parseHttpDate(lastModified),
    dateMs: parseHttpDate(fieldValue(fields, 'date')) ?? respondedAt,
  };
}

/** Returns what is kept of a whole answer; `all` are the fields that its own client gets, whoever has set them. */
export async function keptAnswer(
  whole: Omit<StoredAnswer, 'stock'>,
  all: Fields,
  plan: StoragePlan,
  rules: Rules,
  respondedAt: number,
): Promise<StoredAnswer> {
  const { directives } = governing(all, rules.targets);
  const lines = storableFields(whole.lines, directives, { keepSetCookie: rules.storeSetCookie });
  const mayCompress = whole.status === 200 && !directives.noTransform && whole.body.length >= rules.compressAboveBytes;
  const coded = mayCompress && isCompressible(all) ? await compress(whole) : undefined;
  return { ...whole, lines, coded, stock: { ...plan, respondedAt } };
}

/** Returns the answer as a 304 with these fields leaves it, before it is known how long it may now be kept: RFC 9111 section 4.3.4. */
export function confirmedAnswer(
  stored: StoredAnswer,
  answered: Answered,
  rules: Rules,
  respondedAt: number,
): StoredAnswer {
  const isGoverned = ['cache-control', ...rules.targets].some((name) => answered.all[name] !== undefined);
  const { directives } = governing(isGoverned ? answered.all : fieldsOf(stored.lines), rules.targets);
  const fresh = answered.lines.filter(([name]) => !framing.has(name.toLowerCase()));
  // RFC 9110 section 6.6.1, as above: with the date of the first answer it would be as old as before.
  if (answered.fields['date'] === undefined) fresh.push(['Date', formatHttpDate(respondedAt)]);
  const lines = updatedFields(stored.lines, fresh, directives, { keepSetCookie: rules.storeSetCookie });
  const fields = fieldsOf(lines);
  const lastModified = fieldValue(fields, 'last-modified');
  return {
    ...stored,
    lines,
    lastModified,
    lastModifiedMs: parseHttpDate(lastModified),
    dateMs: parseHttpDate(fieldValue(fields, 'date')) ?? stored.dateMs,
  };
}

/** Returns lines as fields by lower-case name. */
export function fieldsOf(lines: readonly FieldLine[]): Fields {
  const fields: Record<string, string[]> = {};
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    fields[lower] = [...(Object.hasOwn(fields, lower) ? (fields[lower] ?? []) : []), ...[value].flat()];
  }
  return fields;
}

const ofTheCodedBytes = ['content-encoding', 'content-digest', 'repr-digest', 'digest', 'content-md5'];

const compressible = /^(?:text\/|application\/(?:json|javascript|xml|wasm|[\w.-]{1,60}\+(?:json|xml))|image\/svg\+xml)/;

function isCompressible(fields: Fields): boolean {
  // RFC 9530 section 2: a digest is that of the bytes in their coding.
  if (ofTheCodedBytes.some((name) => fieldValue(fields, name) !== undefined)) return false;
  return compressible.test((fieldValue(fields, 'content-type') ?? '').slice(0, 100).toLowerCase());
}

const gzipped = promisify(gzip);
/** What is saved must be worth the trouble at each hit: a tenth. */
const mostOfIt = 0.9;

async function compress({ body, etag }: Pick<StoredAnswer, 'body' | 'etag'>): Promise<CodedBody | undefined> {
  const smaller = await gzipped(body);
  if (smaller.length > body.length * mostOfIt) return undefined;
  return { coding: 'gzip', body: smaller, etag: etag === undefined ? undefined : variantEtag(etag, 'gzip') };
}
