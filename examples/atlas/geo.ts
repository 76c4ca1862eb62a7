/** Where things are on the globe: distances, and boxes around a point that are right at the date line and at the poles. */

export interface Point {
  readonly lat: number;
  readonly lon: number;
}

/** Latitudes from south to north, and two ranges of longitudes; they are the same unless the box crosses the date line. */
export interface Box {
  readonly south: number;
  readonly north: number;
  readonly ranges: readonly [Range, Range];
}
type Range = readonly [west: number, east: number];

const earthRadiusKm = 6371;
/** No two places are further apart. */
export const farthestKm = Math.ceil(Math.PI * earthRadiusKm);

/** The great-circle distance (haversine). */
export function distanceKm(from: Point, to: Point): number {
  const a =
    Math.sin(radians(to.lat - from.lat) / 2) ** 2 +
    Math.cos(radians(from.lat)) * Math.cos(radians(to.lat)) * Math.sin(radians(to.lon - from.lon) / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(a)));
}

/** A box that holds every place within `km` of `centre`. */
export function boxAround({ lat, lon }: Point, km: number): Box {
  const angle = km / earthRadiusKm;
  const south = lat - degrees(angle);
  const north = lat + degrees(angle);
  const all: Range = [-180, 180];
  // Around a pole every longitude is near.
  if (south <= -90 || north >= 90)
    return { south: Math.max(south, -90), north: Math.min(north, 90), ranges: [all, all] };
  const reach = degrees(Math.asin(Math.sin(angle) / Math.cos(radians(lat))));
  return { south, north, ranges: rangesAcrossDateLine(lon - reach, lon + reach) };
}

function rangesAcrossDateLine(west: number, east: number): readonly [Range, Range] {
  if (west < -180)
    return [
      [west + 360, 180],
      [-180, east],
    ];
  if (east > 180)
    return [
      [west, 180],
      [-180, east - 360],
    ];
  return [
    [west, east],
    [west, east],
  ];
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
