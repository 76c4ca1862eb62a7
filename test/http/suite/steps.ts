/** Plays a case of our own against an origin, step by step, and says what was wrong. */

import { randomUUID } from 'node:crypto';
import { sleep } from '../../kit/wait.ts';
import type { Case, CaseAnswer, CaseField, Expected } from './case.ts';
import type { Fetched, Fetcher } from './fetch.ts';
import type { Line } from './forms.ts';
import type { Origin, Script } from './origin.ts';

const pauseMs = 3000;

/** Returns what differed from what the case expects, in words; nothing if it went well. */
export async function playCase(origin: Origin, { steps }: Case, fetch: Fetcher): Promise<string[]> {
  const name = randomUUID();
  origin.play(name, scriptOf(steps.map(({ answer = {} }) => answer)));
  const wrongs: string[] = [];
  let first: Fetched | undefined;
  for (const [index, { send = [], answer = {}, expect, pause = false }] of steps.entries()) {
    const step = index + 1;
    const fields = [...send, ['Step', String(step)] as const].map(([field, value]) => [field, String(value)] as const);
    const response = await fetch(`${origin.url}/case/${name}`, { headers: fields });
    first ??= response;
    const found = [
      ...differences(response, await response.text(), expect, step, name),
      ...changed(response, first, expect),
      ...(expect.from === 'origin' ? undelivered(response, answer) : []),
    ];
    wrongs.push(...found.map((wrong) => `step ${step}: ${wrong}`));
    if (pause) await sleep(pauseMs);
  }
  return wrongs;
}

/** The n-th request is told its number, and gets the n-th answer whether or not the ones before came this far. */
function scriptOf(answers: readonly CaseAnswer[]): Script {
  return (req, res, { write, fail }) => {
    const step = Number(req.headers['step']);
    const { fields = [], interim = [], takesMs = 0, fails = false } = answers[step - 1] ?? {};
    if (fails) return fail();
    for (const one of interim) {
      if (one === 102) res.writeProcessing();
      else res.writeEarlyHints(one);
    }
    const lines = linesOf(fields);
    const answer = (): void =>
      write({
        status: 200,
        lines: [['Answered-Step', String(step)], ['Content-Type', 'text/plain'], ...lines],
        body: Buffer.from(req.url?.split('/').at(-1) ?? ''),
      });
    if (takesMs === 0) answer();
    else void sleep(takesMs).then(answer);
  };
}

/** The fields of one name as lines of one field. */
function linesOf(fields: readonly CaseField[]): Line[] {
  const byName = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const text = typeof value === 'number' ? new Date(Date.now() + value * 1000).toUTCString() : value;
    byName.set(name, [...(byName.get(name) ?? []), text]);
  }
  return [...byName].map(([name, values]) => [name, values.length > 1 ? values : (values[0] ?? '')]);
}

function differences(response: Fetched, body: string, expected: Expected, step: number, name: string): string[] {
  const { headers, interim, status } = response;
  const answered = headers.get('answered-step');
  const from = answered === undefined ? 'nothing' : Number(answered) < step ? 'cache' : 'origin';
  const wrongs: string[] = [];
  if (from !== expected.from) wrongs.push(`the answer is from ${from}, not from ${expected.from}`);
  if (from === 'nothing' ? status < 500 : status !== 200) wrongs.push(`the status is ${status}`);
  if (from !== 'nothing' && body !== name) wrongs.push(`the body is ${JSON.stringify(body)}`);
  for (const [field, value] of Object.entries(expected.fields ?? {})) {
    if (headers.get(field) !== value) wrongs.push(`${field} is ${headers.get(field)}, not ${value}`);
  }
  wrongs.push(...(expected.having ?? []).filter((field) => !headers.has(field)).map((field) => `${field} is missing`));
  wrongs.push(...(expected.without ?? []).filter((field) => headers.has(field)).map((field) => `${field} is there`));
  if (expected.interim) {
    const heard = interim.map(({ status: code }) => code);
    const wanted = expected.interim.map((one) => (one === 102 ? 102 : 103));
    if (String(heard) !== String(wanted))
      wrongs.push(`the interim responses are [${heard.join()}], not [${wanted.join()}]`);
    for (const [at, one] of expected.interim.entries()) {
      for (const [field, value] of Object.entries(one === 102 ? {} : one)) {
        const got = interim[at]?.headers[field];
        if (got !== value) wrongs.push(`${field} of interim response ${at + 1} is ${String(got)}, not ${value}`);
      }
    }
  }
  return wrongs;
}

function changed(response: Fetched, first: Fetched, { asAtFirst = [] }: Expected): string[] {
  return asAtFirst
    .filter((field) => !first.headers.has(field) || response.headers.get(field) !== first.headers.get(field))
    .map((field) => `${field} was ${first.headers.get(field)} and is ${response.headers.get(field)}`);
}

/** What the origin says arrives, but for the Age, which every cache says anew. */
function undelivered(response: Fetched, { fields = [] }: CaseAnswer): string[] {
  return fields
    .filter(
      ([name, value]) => name !== 'Age' && typeof value === 'string' && !response.headers.get(name)?.includes(value),
    )
    .map(([name, value]) => `${name} is ${response.headers.get(name)}, not ${value}`);
}
