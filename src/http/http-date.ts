/** Reads and writes dates of header fields: which instant does the text name? RFC 9110 section 5.6.7. */

/**
 * Returns the instant in epoch ms; `undefined` for anything that is not one of the three forms of an HTTP date.
 *
 * RFC 9111 section 4.2: names are compared without their case, and a zone other than GMT is invalid.
 *
 * @param now epoch ms, to find the century of a two-digit year; without it such years are 1970 to 2069
 * @example
 * parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'); // 784111777000
 */
export function parseHttpDate(text: string | undefined, now?: number): number | undefined {
  // No form is longer: "Wednesday, 09-Nov-94 08:49:37 GMT".
  if (text === undefined || text.length > 33) return undefined;
  const fixed = fixedDate.exec(text);
  if (fixed !== null) return instant(fixed[1], fixed[2], Number(fixed[3]), fixed[4]);
  const old = rfc850Date.exec(text);
  if (old !== null) return inCentury(Number(old[3]), now, (year) => instant(old[1], old[2], year, old[4]));
  const asctime = asctimeDate.exec(text);
  if (asctime !== null) return instant(asctime[2], asctime[1], Number(asctime[4]), asctime[3]);
  return undefined;
}

/** Returns the instant as IMF-fixdate, in whole seconds; the nearest one that has four digits for the year. */
export function formatHttpDate(ms: number): string {
  return new Date(Math.min(lastMs, Math.max(firstMs, Math.trunc(ms) || 0))).toUTCString();
}

const firstMs = Date.UTC(1000, 0, 1);
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59);

const weekday = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longWeekday = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';
const month = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)';
const time = String.raw`(\d\d:\d\d:\d\d)`;

const fixedDate = new RegExp(String.raw`^${weekday}, (\d\d) ${month} (\d{4}) ${time} gmt$`, 'i');
const rfc850Date = new RegExp(String.raw`^${longWeekday}, (\d\d)-${month}-(\d\d) ${time} gmt$`, 'i');
const asctimeDate = new RegExp(String.raw`^${weekday} ${month} (\d\d| \d) ${time} (\d{4})$`, 'i');

const months: readonly string[] = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

function instant(
  dayText: string | undefined,
  monthText: string | undefined,
  year: number,
  timeText: string | undefined,
): number | undefined {
  const day = Number(dayText);
  const monthIndex = months.indexOf(monthText?.toLowerCase() ?? '');
  const [hours = 0, minutes = 0, seconds = 0] = (timeText ?? '').split(':').map(Number);
  // The second 60 is a leap second: as an instant, the first of the next minute.
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  // Not Date.UTC: it takes the year 50 for 1950.
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, day);
  // No 30th of February, and no 0th.
  if (date.getUTCMonth() !== monthIndex) return undefined;
  return date.setUTCHours(hours, minutes, seconds);
}

/**
 * RFC 9110 section 5.6.7: a two-digit year that appears to be more than 50 years in the future is the most recent year in
 * the past with these last digits.
 */
function inCentury(
  digits: number,
  now: number | undefined,
  at: (year: number) => number | undefined,
): number | undefined {
  if (now === undefined) return at(digits < 70 ? 2000 + digits : 1900 + digits);
  const today = new Date(now);
  const year = Math.floor(today.getUTCFullYear() / 100) * 100 + digits;
  const limit = today.setUTCFullYear(today.getUTCFullYear() + 50);
  const found = at(year);
  return found !== undefined && found > limit ? at(year - 100) : found;
}
