/** Tells how far the clocks of a time zone are ahead of UTC, and when they were changed. */

import { BoundedMap } from '../../support/bounded-map.ts';
import { describe, HotshelfError } from '../../support/errors.ts';

/** A formatter takes 0.1 ms to make and some kB to keep. */
const knownZones = new BoundedMap<string, Zone>(100);
const written = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/**
 * Returns the IANA time zone `name`, such as `Europe/Paris`.
 *
 * @throws {HotshelfError} `OPTION_INVALID` if this Node does not know it.
 */
export function zoneOf(name: string): Zone {
  const known = knownZones.get(name);
  if (known !== undefined) return known;
  const zone = new Zone(name);
  knownZones.set(name, zone);
  return zone;
}

export class Zone {
  /** `undefined` for UTC, which is asked most and always 0. */
  readonly #format: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.#format = name === 'UTC' ? undefined : formatOf(name);
  }

  /** How many ms the clocks of the zone are ahead of UTC at an instant in epoch ms. */
  offset(at: number): number {
    if (this.#format === undefined) return 0;
    const [, month, day, year, hour, minute, second] = written.exec(this.#format.format(at)) ?? [];
    const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    return local - Math.floor(at / 1000) * 1000;
  }

  /** The first instant after `before` at which the clocks go as they do at `after`; they must have been changed once between. */
  change(before: number, after: number): number {
    const offset = this.offset(after);
    let [low, high] = [before, after];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === offset) high = middle;
      else low = middle;
    }
    return high;
  }
}

function formatOf(timeZone: unknown): Intl.DateTimeFormat {
  try {
    if (typeof timeZone !== 'string') throw new TypeError('no name');
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new HotshelfError(
      'OPTION_INVALID',
      `Expected \`timeZone\` to be a time zone that Node knows, such as "Europe/Paris" or "UTC", got ${describe(timeZone)}.`,
    );
  }
}
