/** Lists what is worth measuring about a cache, once for all the systems that it is told to. */

import type { CacheStats } from './stats.ts';

export interface Metric {
  /** Words joined by "_", without prefix and unit. */
  readonly name: string;
  /** A `counter` only grows while the process lives. */
  readonly kind: 'counter' | 'gauge';
  readonly unit?: 'bytes';
  /** One sentence for the reader of a dashboard. */
  readonly help: string;
  /** The name of the label that tells the samples of one cache apart, where it has several. */
  readonly label?: 'tier';
  readonly samples: (stats: CacheStats) => readonly Sample[];
}

export interface Sample {
  readonly value: number;
  /** The value of the metric's `label`. */
  readonly labelled?: string;
}

/** The spans that most loads took, in seconds, by the share of loads that took no longer. */
export function loadQuantiles({
  loadMs,
}: CacheStats): readonly { readonly quantile: string; readonly seconds: number }[] {
  return [
    { quantile: '0.5', seconds: loadMs.p50 / 1000 },
    { quantile: '0.99', seconds: loadMs.p99 / 1000 },
    { quantile: '1', seconds: loadMs.max / 1000 },
  ];
}

export const metrics: readonly Metric[] = [
  {
    name: 'hits',
    kind: 'counter',
    help: 'Reads answered from a fresh entry, by the tier that had it.',
    label: 'tier',
    samples: ({ localHits, remoteHits }) => [
      { value: localHits, labelled: 'local' },
      { value: remoteHits, labelled: 'remote' },
    ],
  },
  counter('stale_served', 'Reads answered from a stale entry within its grace.', (stats) => stats.staleServed),
  counter('misses', 'Reads that found no usable entry and loaded.', (stats) => stats.misses),
  counter('collapsed', 'Reads that shared the load of another caller.', (stats) => stats.collapsed),
  counter('bypasses', 'Reads that went to the origin without the cache.', (stats) => stats.bypasses),
  counter('loads', 'Calls of loaders.', (stats) => stats.loads),
  counter('failed_loads', 'Calls of loaders that failed.', (stats) => stats.failedLoads),
  counter('refreshes', 'Loads that no caller waited for.', (stats) => stats.refreshes),
  counter('fills', 'Loaded values sent to the backend.', (stats) => stats.fills),
  counter(
    'refused_fills',
    'Loaded values not stored because they were invalidated meanwhile.',
    (stats) => stats.refusedFills,
  ),
  counter('unusable', 'Reads that found bytes they could not use.', (stats) => stats.unusable),
  counter('verified', 'Hits loaded again to compare them with the origin.', (stats) => stats.verified),
  counter('inconsistent', 'Verified hits that were not what the origin said.', (stats) => stats.inconsistent),
  bytes('read', 'Bytes of encoded values read from the backend.', (stats) => stats.bytesRead),
  bytes('written', 'Bytes of encoded values sent to the backend.', (stats) => stats.bytesWritten),
  {
    name: 'unconfirmed',
    kind: 'gauge',
    help: 'Invalidations that the backend has not confirmed yet.',
    samples: ({ unconfirmed }) => [{ value: unconfirmed }],
  },
  {
    name: 'local_entries',
    kind: 'gauge',
    help: 'Entries kept in this process.',
    samples: ({ local }) => (local === undefined ? [] : [{ value: local.entries }]),
  },
  {
    name: 'local_size',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Bytes of the entries kept in this process.',
    samples: ({ local }) => (local === undefined ? [] : [{ value: local.bytes }]),
  },
];

function counter(name: string, help: string, read: (stats: CacheStats) => number): Metric {
  return { name, kind: 'counter', help, samples: (stats) => [{ value: read(stats) }] };
}

function bytes(name: string, help: string, read: (stats: CacheStats) => number): Metric {
  return { ...counter(name, help, read), unit: 'bytes' };
}

/** What Prometheus calls `metric`: unit and `_total` at the end. */
export function prometheusName({ name, kind, unit }: Metric): string {
  return `hotshelf_${name}${unit === undefined ? '' : `_${unit}`}${kind === 'counter' ? '_total' : ''}`;
}

export type Labels = Readonly<Record<string, string>>;

/** The labels of one sample of `metric`, for the cache of this name. */
export function labelsOf({ label }: Metric, cache: string, { labelled }: Sample): Labels {
  return label === undefined || labelled === undefined ? { cache } : { cache, [label]: labelled };
}

/** What Prometheus calls the time that loads took. */
export const loadDuration = {
  name: 'hotshelf_load_duration_seconds',
  help: 'How long loads took since the cache was made, right to about 10 %.',
} as const;
