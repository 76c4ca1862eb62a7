import { describe, expect, it } from 'vitest';
import type { Database } from '../../examples/atlas/database/database.ts';
import { openSqlite } from '../../examples/atlas/database/sqlite.ts';
import { boxAround, distanceKm, farthestKm, type Point } from '../../examples/atlas/geo.ts';
import { toGrid } from '../../examples/atlas/cities.ts';
import { Origin } from '../../examples/atlas/origin.ts';
import { limit } from './site.ts';

describe('distanceKm', () => {
  it('knows how far it is from Paris to New York', () => {
    expect(distanceKm({ lat: 48.8534, lon: 2.3488 }, { lat: 40.7143, lon: -74.006 })).toBeCloseTo(5837, -1);
  });

  it('is small across the date line and over a pole', () => {
    expect(distanceKm({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBeCloseTo(22.24, 1);
    expect(distanceKm({ lat: 89.9, lon: 0 }, { lat: 89.9, lon: 180 })).toBeCloseTo(22.24, 1);
  });

  it('is never more than half the equator', () => {
    expect(distanceKm({ lat: 90, lon: 0 }, { lat: -90, lon: 77 })).toBeLessThanOrEqual(farthestKm);
    expect(distanceKm({ lat: 10, lon: -170 }, { lat: -10, lon: 10 })).toBeLessThanOrEqual(farthestKm);
  });
});

describe('boxAround', () => {
  it('has two ranges of longitudes at the date line', () => {
    const { ranges } = boxAround({ lat: 0, lon: 179.9 }, 111.2);
    expect(ranges[0][0]).toBeCloseTo(178.9, 2);
    expect(ranges[0][1]).toBe(180);
    expect(ranges[1][0]).toBe(-180);
    expect(ranges[1][1]).toBeCloseTo(-179.1, 2);
  });

  it('has all longitudes at a pole, and latitudes that exist', () => {
    expect(boxAround({ lat: 89.5, lon: 12 }, 100)).toMatchObject({
      north: 90,
      ranges: [
        [-180, 180],
        [-180, 180],
      ],
    });
    expect(boxAround({ lat: -90, lon: 12 }, 100)).toMatchObject({
      south: -90,
      ranges: [
        [-180, 180],
        [-180, 180],
      ],
    });
  });
});

describe('toGrid', () => {
  it('rounds to a hundredth of a degree', () => {
    expect(toGrid({ lat: 48.85341, lon: 2.3488 })).toEqual({ lat: 48.85, lon: 2.35 });
  });

  it('has one name for each place', () => {
    expect(toGrid({ lat: -0.001, lon: 180 })).toEqual({ lat: 0, lon: -180 });
    expect(toGrid({ lat: 0, lon: 179.999 })).toEqual({ lat: 0, lon: -180 });
  });
});

describe('the nearest cities', () => {
  const places: Record<string, Point> = {
    'in a dense place': { lat: 48.85, lon: 2.35 },
    'west of the date line': { lat: -16.9, lon: 179.99 },
    'east of the date line': { lat: -16.9, lon: -179.99 },
    'at the north pole': { lat: 90, lon: 0 },
    'at the south pole': { lat: -90, lon: 123 },
    'in the middle of the Pacific': { lat: -48.88, lon: -123.39 },
    'in the far north': { lat: 78.2, lon: 15.6 },
  };

  it.each(Object.entries(places))('are those that a search of the whole world finds, %s', async (_where, point) => {
    const database = await shared;
    const everywhere = await database.query<Point & { id: number }>(
      'select id, latitude as lat, longitude as lon from atlas_city',
    );
    const expected = everywhere
      .map((place) => ({ id: place.id, km: distanceKm(point, place) }))
      .sort((a, b) => a.km - b.km || a.id - b.id)
      .slice(0, 10);
    const nearest = await new Origin(database).nearest(point);
    expect(nearest.map(({ id, km }) => ({ id, km }))).toEqual(expected);
  });

  it('are all there are, in a small world', async () => {
    const database = await openSqlite({ limit: 3 });
    expect(await new Origin(database).nearest({ lat: 0, lon: 0 })).toHaveLength(3);
    await database.close();
  });
});

const shared: Promise<Database> = openSqlite({ limit });
