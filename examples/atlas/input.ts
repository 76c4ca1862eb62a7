/** Reads what clients send, and says in a sentence what is wrong with it. */

import type { Point } from './geo.ts';
import type { CityChange } from './origin.ts';
import type { Credentials } from './accounts.ts';
import { type GameWindow, gameWindows } from './game.ts';
import { Problem } from './problem.ts';

const largestInteger = 2_147_483_647;
const longestName = 100;
const mostIds = 100;
const shortestPassword = 12;
/** Hashing takes a text of any length; nobody needs more. */
const longestPassword = 200;
const longestToken = 200;

export function readId(text: unknown): number {
  const id = wholeNumber(text);
  if (id === undefined || id < 1) throw bad(`The id of a city is a whole number from 1 to ${largestInteger}.`);
  return id;
}

export function readIds(text: unknown): number[] {
  const ids = typeof text === 'string' ? text.split(',') : [];
  if (ids.length === 0 || ids.length > mostIds) throw bad(`\`ids\` are 1 to ${mostIds} ids, with commas between them.`);
  return ids.map(readId);
}

export function readCountry(text: unknown): string {
  if (typeof text === 'string' && /^[a-z]{2}$/i.test(text)) return text.toUpperCase();
  throw bad('A country is two letters, such as FR.');
}

export function readPage(text: unknown): number {
  const page = text === undefined ? 1 : wholeNumber(text);
  if (page === undefined || page < 1) throw bad('`page` is a whole number from 1.');
  return page;
}

export function readPoint(query: Readonly<Record<string, unknown>>): Point {
  return { lat: readDegrees(query, 'lat', 90), lon: readDegrees(query, 'lon', 180) };
}

export function readChange(body: unknown): CityChange {
  const { name, population, ...others } = readObject(body);
  if (Object.keys(others).length > 0) throw bad('Only `name` and `population` of a city can be changed.');
  if (name === undefined && population === undefined) throw bad('The body has `name`, `population` or both.');
  return {
    name: name === undefined ? undefined : readName(name),
    population: population === undefined ? undefined : readPopulation(population),
  };
}

/** The name of a user is in lower case from here on: nobody else can have it in capitals. */
export function readCredentials(body: unknown): Credentials {
  const { name, password, ...others } = readObject(body);
  if (Object.keys(others).length > 0) throw bad('The body has `name` and `password`, and nothing else.');
  if (typeof name !== 'string' || !/^[a-z\d._-]{3,32}$/i.test(name)) {
    throw bad('`name` is 3 to 32 letters, digits, ".", "_" or "-".');
  }
  const isPassword =
    typeof password === 'string' && password.length >= shortestPassword && password.length <= longestPassword;
  if (!isPassword) throw bad(`\`password\` is a text of ${shortestPassword} to ${longestPassword} characters.`);
  return { name: name.toLowerCase(), password };
}

export function readWindow(text: unknown): GameWindow {
  const window = gameWindows.find((known) => known === text);
  if (window === undefined) throw bad(`A leaderboard is one of ${gameWindows.join(', ')}.`);
  return window;
}

/** `city` is the id of the one that is larger. */
export function readAnswer(body: unknown): { readonly token: string; readonly city: number } {
  const { token, city, ...others } = readObject(body);
  if (Object.keys(others).length > 0) throw bad('The body has `token` and `city`, and nothing else.');
  if (typeof token !== 'string' || token.length > longestToken)
    throw bad('`token` is the text that came with a question.');
  if (typeof city !== 'number') throw bad('`city` is the id of a city, as a number.');
  return { token, city };
}

function readObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('The body is a JSON object.');
  return body as Readonly<Record<string, unknown>>;
}

function readName(value: unknown): string {
  const name = typeof value === 'string' ? value.trim() : '';
  // Control characters and halves of surrogate pairs: PostgreSQL takes neither, and nobody's city has them.
  const isText = name.length > 0 && name.length <= longestName && !/[\p{Cc}\p{Cs}]/u.test(name);
  if (!isText) throw bad(`\`name\` is a text of 1 to ${longestName} characters.`);
  return name;
}

function readPopulation(value: unknown): number {
  const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestInteger;
  if (!isCount) throw bad(`\`population\` is a whole number from 0 to ${largestInteger}.`);
  return value;
}

function readDegrees(query: Readonly<Record<string, unknown>>, name: string, most: number): number {
  const text = query[name];
  const degrees = typeof text === 'string' && /^[+-]?\d{1,3}(\.\d{1,20})?$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(degrees) <= most) return degrees;
  throw bad(`\`${name}\` is a number of degrees from -${most} to ${most}.`);
}

function wholeNumber(text: unknown): number | undefined {
  const number = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number <= largestInteger ? number : undefined;
}

function bad(detail: string): Problem {
  return new Problem(400, detail);
}
