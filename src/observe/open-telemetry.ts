/** Tells OpenTelemetry what caches count, how long loads take, and which request a load belongs to. */

import { HotshelfError } from '../support/errors.ts';
import { checkOptionNames } from '../support/options.ts';
import { type Labels, labelsOf, type Metric, metrics } from './metrics.ts';
import { type Listed, listObservables, type Observables } from './observable.ts';
import { type Tracer, traceLoads } from './spans.ts';

/** What is used of a `Meter` of the package `@opentelemetry/api`. */
export interface Meter {
  createObservableCounter(name: string, options: InstrumentOptions): object;
  createObservableGauge(name: string, options: InstrumentOptions): object;
  createHistogram(name: string, options: InstrumentOptions): Recorder;
  addBatchObservableCallback(callback: (result: BatchResult) => void, instruments: object[]): void;
  removeBatchObservableCallback(callback: (result: BatchResult) => void, instruments: object[]): void;
}

export interface InstrumentOptions {
  readonly description: string;
  readonly unit?: string;
  readonly advice?: { readonly explicitBucketBoundaries: number[] };
}

export interface Recorder {
  record(value: number, attributes: Attributes): void;
}

export interface BatchResult {
  observe(instrument: object, value: number, attributes: Attributes): void;
}

/** What a number or a span is about. */
export type Attributes = Record<string, string | boolean>;

export interface OpenTelemetryOptions {
  /** Gets the metrics. */
  readonly meter?: Meter;
  /** Gets a span `hotshelf.load` for each load of every cache in this process, those not listed included. */
  readonly tracer?: Tracer;
  /** Puts the full key on spans, as `hotshelf.key`: only where keys may be shown to all who read traces. @default false */
  readonly keys?: boolean;
}

const bucketsInSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Gives the counts of `caches` to a meter, and a span for each load to a tracer.
 *
 * - The metrics are those of `prometheusText`, as `hotshelf.hits` and so on, with the attribute `hotshelf.cache`: the name here.
 *   They are read when the meter collects.
 * - `hotshelf.load.duration` is a histogram in seconds of all loads that end from now on. It listens to the events of each
 *   cache, so that a hit costs the making of an event.
 * - Spans are active while the loader runs, so that those of its database client are inside them. They have
 *   `hotshelf.namespace` and `hotshelf.behind`, and `error.type` when the load failed; never the message of an error.
 *
 * @returns a function that ends all of it.
 * @throws {HotshelfError} `OPTION_INVALID`.
 * @example
 * import { metrics, trace } from '@opentelemetry/api';
 * const end = observeWithOpenTelemetry(
 *   { meter: metrics.getMeter('hotshelf'), tracer: trace.getTracer('hotshelf') },
 *   { main: cache },
 * );
 */
export function observeWithOpenTelemetry(options: OpenTelemetryOptions, caches: Observables): () => void {
  const where = 'observeWithOpenTelemetry()';
  checkOptionNames(options ?? null, ['meter', 'tracer', 'keys'], where);
  const { meter, tracer, keys = false } = options;
  if (meter === undefined && tracer === undefined) {
    throw new HotshelfError('OPTION_INVALID', `Expected ${where} to get a \`meter\`, a \`tracer\` or both.`);
  }
  const all = listObservables(caches, where);
  const ends: (() => void)[] = [];
  if (meter !== undefined) ends.push(reportCounts(meter, all), recordLoads(meter, all));
  if (tracer !== undefined) ends.push(traceLoads(tracer, keys));
  return () => {
    for (const end of ends.splice(0)) end();
  };
}

function reportCounts(meter: Meter, all: Listed): () => void {
  const instruments = metrics.map((metric) => ({ metric, instrument: createInstrument(meter, metric) }));
  const report = (result: BatchResult) => {
    for (const [name, cache] of all) {
      const stats = cache.stats();
      for (const { metric, instrument } of instruments) {
        for (const sample of metric.samples(stats)) {
          result.observe(instrument, sample.value, attributesOf(labelsOf(metric, name, sample)));
        }
      }
    }
  };
  const observed = instruments.map(({ instrument }) => instrument);
  meter.addBatchObservableCallback(report, observed);
  return () => meter.removeBatchObservableCallback(report, observed);
}

function createInstrument(meter: Meter, { name, kind, unit, help }: Metric): object {
  // "By" is what the Unified Code for Units of Measure calls a byte.
  const options = { description: help, ...(unit && { unit: 'By' }) };
  const full = `hotshelf.${name}`;
  return kind === 'counter' ? meter.createObservableCounter(full, options) : meter.createObservableGauge(full, options);
}

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`hotshelf.${name}`, value]));
}

function recordLoads(meter: Meter, all: Listed): () => void {
  const durations = meter.createHistogram('hotshelf.load.duration', {
    description: 'How long loads took.',
    unit: 's',
    advice: { explicitBucketBoundaries: bucketsInSeconds },
  });
  const leave = all.map(([name, cache]) =>
    cache.on((event) => {
      if (event.type !== 'load') return;
      durations.record(event.ms / 1000, { 'hotshelf.cache': name, 'hotshelf.failed': event.failed });
    }),
  );
  return () => {
    for (const end of leave) end();
  };
}
