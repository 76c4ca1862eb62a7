/** Writes questions about limits for the script, and reads what it answers. */

import { burstOf, samePlans } from '../../src/backend/limits/same.ts';
import type { Usage } from '../../src/backend/limits/usage.ts';
import type { Plan } from '../../src/backend/limits.ts';
import type { Reply } from './client.ts';
import { Written, writtenArgument } from './written.ts';

export type Mode = 'take' | 'look' | 'charge' | 'give' | 'reset';

export interface Question {
  readonly mode: Mode;
  readonly names: Names;
  readonly plans: readonly Plan[];
  readonly cost: number;
}

/** The keys of a question on the server, and its gate if it has one, as they are sent. */
export interface Names {
  readonly first: string;
  readonly count: number;
  readonly hasGate: boolean;
  readonly text: string;
}

/** @param gate or '' for none */
export function writeNames(prefix: string, keys: readonly string[], gate: string): Names {
  const hasGate = gate !== '';
  const names = (hasGate ? [...keys, gate] : keys).map((key) => prefix + key);
  return { first: names[0] ?? '', count: names.length, hasGate, text: names.map(writtenArgument).join('') };
}

export interface Answer {
  /** Whether the plans had room. */
  readonly allowed: boolean;
  /** How long the gate is still shut, in ms. */
  readonly shutMs: number;
  /** Of each plan. */
  readonly usages: readonly Usage[];
}

export interface Answers {
  /** The server's time, in epoch ms. */
  readonly now: number;
  /** One for each question; `undefined` where a key holds something of another kind. */
  readonly answers: readonly (Answer | undefined)[];
}

const kinds = { 'sliding-window': 's', 'token-bucket': 't', 'fixed-window': 'f' } as const;

/** The script, by its hash or in full, then the number of keys, the keys, and the groups of questions. */
export function writeQuestions(which: string, questions: readonly Question[]): Written {
  const groups: (string | number)[] = [];
  let names = '';
  let nameCount = 0;
  let first = questions[0];
  let count = 0;
  for (const question of questions) {
    names += question.names.text;
    nameCount += question.names.count;
    if (first !== undefined && !isAlike(question, first)) {
      writeGroup(groups, first, count);
      first = question;
      count = 0;
    }
    count += 1;
  }
  if (first !== undefined) writeGroup(groups, first, count);
  const text = writtenArgument(which) + writtenArgument(nameCount) + names + groups.map(writtenArgument).join('');
  return new Written(2 + nameCount + groups.length, text);
}

function isAlike(one: Question, other: Question): boolean {
  return (
    one.mode === other.mode &&
    one.cost === other.cost &&
    one.names.hasGate === other.names.hasGate &&
    samePlans(one.plans, other.plans)
  );
}

function writeGroup(groups: (string | number)[], question: Question, count: number): void {
  const { mode, cost, names, plans } = question;
  groups.push(mode, cost, plans.length, count, names.hasGate ? 1 : 0);
  for (const plan of plans) {
    groups.push(kinds[plan.algorithm], plan.limit, plan.windowMs, burstOf(plan));
  }
}

/** Returns `undefined` if the reply is not what the script answers. */
export function readAnswers(reply: Reply, count: number): Answers | undefined {
  if (!(reply instanceof Uint8Array)) return undefined;
  const reader = new Reader(reply);
  const now = reader.number();
  const answers: (Answer | undefined)[] = [];
  while (reader.next('|')) answers.push(readAnswer(reader));
  return reader.atEnd && answers.length === count ? { now, answers } : undefined;
}

function readAnswer(reader: Reader): Answer | undefined {
  if (reader.next('E')) return undefined;
  const allowed = reader.number() === 1;
  const shutMs = reader.next('!') ? reader.number() : 0;
  if (!reader.next(';')) return { allowed, shutMs, usages: [] };
  // Lists that begin with what they mostly hold: one that grows takes room for seventeen.
  const usages: Usage[] = [readUsage(reader)];
  while (reader.next(';')) usages.push(readUsage(reader));
  return { allowed, shutMs, usages };
}

function readUsage(reader: Reader): Usage {
  if (!reader.atNumber) return [];
  const first = reader.number();
  if (!reader.next(',')) return [first];
  const usage = [first, reader.number()];
  while (reader.next(',')) usage.push(reader.number());
  return usage;
}

/** Reads numbers byte by byte: a third of the time of cutting a text into pieces. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  get atNumber(): boolean {
    const digit = (this.#bytes[this.#at] ?? 0) - 0x30;
    return digit >= 0 && digit <= 9;
  }

  number(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (; this.#at < bytes.length; this.#at += 1) {
      const digit = (bytes[this.#at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Steps over `mark` if it comes next. */
  next(mark: string): boolean {
    if (this.#bytes[this.#at] !== mark.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }
}
