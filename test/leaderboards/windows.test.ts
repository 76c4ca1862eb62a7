/** Shows when windows begin and end where clocks are changed, and that they leave no gap and no doubt anywhere. */

import * as fc from 'fast-check';
import { type TimedKind, type WeekStart, window } from 'hotshelf/leaderboards';
import { describe, expect, it } from 'vitest';

const hourMs = 3_600_000;
const kinds: readonly TimedKind[] = ['hour', 'day', 'week', 'month', 'year'];
const weekStarts: readonly WeekStart[] = ['monday', 'sunday', 'saturday'];
const zones = Intl.supportedValuesOf('timeZone');

/** Begin, and length in hours. */
function found(kind: TimedKind, at: string, timeZone: string, weekStart?: WeekStart): readonly [string, number] {
  const { start, end } = window(kind, Date.parse(at), timeZone, weekStart);
  return [new Date(start).toISOString().replace(':00.000Z', 'Z'), (end - start) / hourMs];
}

/** The calendar of a zone, by another formatter than that of the windows: `2026-11-28 05:30:00`. */
function written(at: number, timeZone: string): string {
  return new Date(at).toLocaleString('sv-SE', { timeZone });
}

describe('a day', () => {
  it.each<[string, string, string, string, number]>([
    ['is one of UTC', 'UTC', '2026-11-28T13:00Z', '2026-11-28T00:00Z', 24],
    ['begins at midnight where the people are', 'Europe/Paris', '2026-11-28T12:00Z', '2026-11-27T23:00Z', 24],
    ['has 23 hours in spring', 'Europe/Paris', '2026-03-29T12:00Z', '2026-03-28T23:00Z', 23],
    ['has 25 hours in autumn', 'Europe/Paris', '2026-10-25T12:00Z', '2026-10-24T22:00Z', 25],
    ['has 23 hours in spring, in America', 'America/New_York', '2026-03-08T12:00Z', '2026-03-08T05:00Z', 23],
    ['has 25 hours in autumn, in America', 'America/New_York', '2026-11-01T12:00Z', '2026-11-01T04:00Z', 25],
    ['begins half an hour aside', 'Asia/Kolkata', '2026-11-28T12:00Z', '2026-11-27T18:30Z', 24],
    ['begins three quarters of an hour aside', 'Asia/Kathmandu', '2026-11-28T12:00Z', '2026-11-27T18:15Z', 24],
    ['has half an hour less in spring', 'Australia/Lord_Howe', '2026-10-04T01:00Z', '2026-10-03T13:30Z', 23.5],
    ['has half an hour more in autumn', 'Australia/Lord_Howe', '2026-04-05T01:00Z', '2026-04-04T13:00Z', 24.5],
    ['begins at one where there is no midnight', 'America/Sao_Paulo', '2018-11-04T12:00Z', '2018-11-04T03:00Z', 23],
    ['ends an hour after its first 23:59', 'America/Sao_Paulo', '2018-02-18T02:30Z', '2018-02-17T02:00Z', 25],
    ['begins after that', 'America/Sao_Paulo', '2018-02-18T12:00Z', '2018-02-18T03:00Z', 24],
    ['begins at the first of two midnights', 'America/Havana', '2026-11-01T12:00Z', '2026-11-01T04:00Z', 25],
    ['goes on when its date comes back', 'America/St_Johns', '2009-11-01T03:00Z', '2009-11-01T02:30Z', 25],
    ['follows one that is two days before', 'Pacific/Apia', '2011-12-30T12:00Z', '2011-12-30T10:00Z', 24],
    ['can be the 29th of February', 'Europe/Paris', '2028-02-29T12:00Z', '2028-02-28T23:00Z', 24],
  ])('%s: %s at %s', (_what, timeZone, at, start, hours) => {
    expect(found('day', at, timeZone)).toEqual([start, hours]);
  });
});

describe('an hour', () => {
  it.each<[string, string, string, string, number]>([
    ['begins with minute 0', 'Europe/Paris', '2026-11-28T12:59Z', '2026-11-28T12:00Z', 1],
    ['begins with minute 0 where the people are', 'Asia/Kathmandu', '2026-11-28T12:10Z', '2026-11-28T11:15Z', 1],
    ['is not the same one that comes again', 'Europe/Paris', '2026-10-25T01:30Z', '2026-10-25T01:00Z', 1],
    ['is short where clocks jump into it', 'Australia/Lord_Howe', '2026-10-03T15:31Z', '2026-10-03T15:30Z', 0.5],
    ['ends where clocks are changed in it', 'America/St_Johns', '2009-11-01T02:30Z', '2009-11-01T02:30Z', 1 / 60],
    ['is short where clocks go back into it', 'Australia/Lord_Howe', '2026-04-04T15:10Z', '2026-04-04T15:00Z', 0.5],
  ])('%s: %s at %s', (_what, timeZone, at, start, hours) => {
    expect(found('hour', at, timeZone)).toEqual([start, hours]);
  });
});

describe('a longer window', () => {
  it('is a week that begins on the day that is said', () => {
    const at = '2026-11-28T12:00Z'; // a Saturday
    expect(found('week', at, 'Europe/Paris')).toEqual(['2026-11-22T23:00Z', 168]);
    expect(found('week', at, 'Europe/Paris', 'sunday')).toEqual(['2026-11-21T23:00Z', 168]);
    expect(found('week', at, 'Europe/Paris', 'saturday')).toEqual(['2026-11-27T23:00Z', 168]);
    expect(found('week', '2026-03-29T12:00Z', 'Europe/Paris')).toEqual(['2026-03-22T23:00Z', 167]);
    expect(found('week', '1970-01-01T12:00Z', 'UTC')).toEqual(['1969-12-29T00:00Z', 168]);
  });

  it('is a month as long as it is, in leap years too', () => {
    expect(found('month', '2026-02-10T12:00Z', 'UTC')).toEqual(['2026-02-01T00:00Z', 28 * 24]);
    expect(found('month', '2028-02-29T23:59Z', 'UTC')).toEqual(['2028-02-01T00:00Z', 29 * 24]);
    expect(found('month', '2026-10-31T22:59Z', 'Europe/Paris')).toEqual(['2026-09-30T22:00Z', 31 * 24 + 1]);
    expect(found('month', '2026-12-31T23:30Z', 'Europe/Paris')).toEqual(['2026-12-31T23:00Z', 31 * 24]);
  });

  it('is a year, which ends when it does where the people are', () => {
    expect(found('year', '2027-12-31T23:59Z', 'UTC')).toEqual(['2027-01-01T00:00Z', 365 * 24]);
    expect(found('year', '2027-12-31T23:59Z', 'Europe/Paris')).toEqual(['2027-12-31T23:00Z', 366 * 24]);
    expect(found('year', '2028-01-01T04:59Z', 'America/New_York')).toEqual(['2027-01-01T05:00Z', 365 * 24]);
  });

  it('is for ever', () => {
    expect(window('all', 0, 'UTC')).toEqual({ start: -Infinity, end: Infinity });
  });
});

describe('windows', () => {
  const instants = fc.integer({ min: 0, max: Date.UTC(2040, 0) });
  const somewhere = fc.tuple(
    fc.constantFrom(...kinds),
    fc.constantFrom(...zones),
    fc.constantFrom(...weekStarts),
    instants,
  );

  it('follow each other without a gap, in every time zone', () => {
    expect(zones.length).toBeGreaterThan(300);
    const property = fc.property(
      somewhere,
      fc.double({ min: 0, max: 1, noNaN: true }),
      ([kind, zone, week, at], share) => {
        const { start, end } = window(kind, at, zone, week);
        expect(start).toBeLessThanOrEqual(at);
        expect(end).toBeGreaterThan(at);
        expect(window(kind, start - 1, zone, week).end).toBe(start);
        expect(window(kind, end, zone, week).start).toBe(end);
        const inside = Math.min(end - 1, Math.floor(start + share * (end - start)));
        expect(window(kind, inside, zone, week)).toEqual({ start, end });
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });

  it('begin when the calendar turns a page, which another formatter confirms', () => {
    const length = { hour: 13, day: 10, week: 10, month: 7, year: 4 };
    const property = fc.property(somewhere, ([kind, zone, week, at]) => {
      const { start } = window(kind, at, zone, week);
      const [before, first] = [written(start - 1, zone), written(start, zone)];
      // Clocks that are changed begin an hour too.
      if (kind !== 'hour' || first.endsWith('00:00'))
        expect(before.slice(0, length[kind])).not.toBe(first.slice(0, length[kind]));
      if (kind === 'week' && Date.parse(first.slice(0, 10)) - Date.parse(before.slice(0, 10)) === 24 * hourMs)
        expect(new Date(first.slice(0, 10)).getUTCDay()).toBe({ monday: 1, sunday: 0, saturday: 6 }[week]);
      if (kind === 'day' || kind === 'hour') expect(written(at, zone).slice(0, 10) >= before.slice(0, 10)).toBe(true);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('of hours make up the days', () => {
    const property = fc.property(fc.constantFrom(...zones), instants, (zone, at) => {
      const day = window('day', at, zone);
      let hours = 0;
      for (let start = day.start; start < day.end; hours += 1) start = window('hour', start, zone).end;
      expect(hours).toBeGreaterThanOrEqual(22);
      expect(hours).toBeLessThanOrEqual(26);
    });
    fc.assert(property, { numRuns: 100 });
  });

  it('are refused for time zones that nobody knows', () => {
    for (const zone of ['Mars/Olympus', '', 'Europe', 7 as never])
      expect(() => window('day', 0, zone)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
