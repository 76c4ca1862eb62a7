/** Gives what caches counted to a registry of prom-client, whenever that is read. */

import { type Labels, labelsOf, loadDuration, loadQuantiles, type Metric, metrics, prometheusName } from './metrics.ts';
import { type Listed, listObservables, type Observables } from './observable.ts';

/** What is used of the package `prom-client`. */
export interface PromClient<Registry extends PromRegistry> {
  readonly Counter: new (options: PromOptions<Registry>) => PromCounter;
  readonly Gauge: new (options: PromOptions<Registry>) => PromGauge;
  readonly register: Registry;
}

export interface PromRegistry {
  removeSingleMetric(name: string): void;
}

/** What a metric of prom-client is made with. */
export interface PromOptions<Registry> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
  /** How one number is made of those of several processes, in a cluster of Node's. */
  readonly aggregator: 'sum' | 'max';
  readonly collect: () => void;
}

export interface PromCounter {
  reset(): void;
  inc(labels: Labels, value: number): void;
}

export interface PromGauge {
  reset(): void;
  set(labels: Labels, value: number): void;
}

type Report = (labels: Labels, value: number) => void;

/**
 * Adds the metrics of `prometheusText` to a registry of prom-client, by the same names and labels; the counts are read when
 * the registry is, and cost nothing in between. The load duration is a gauge here, for a summary of prom-client makes its own
 * quantiles. A registry can have these metrics once: list all caches in one call.
 *
 * @param registry where to, if not to the client's own `register`
 * @returns a function that takes the metrics out of the registry again.
 * @throws {HotshelfError} `OPTION_INVALID` when something in `caches` is no cache. The registry's own error when it has
 *   metrics of these names.
 * @example
 * import * as client from 'prom-client';
 * const end = observeWithPromClient(client, { main: cache });
 */
export function observeWithPromClient<Registry extends PromRegistry>(
  client: PromClient<Registry>,
  caches: Observables,
  registry: Registry = client.register,
): () => void {
  const all = listObservables(caches, 'observeWithPromClient()');
  const added: string[] = [];
  const add = (kind: Metric['kind'], named: Named, report: (to: Report) => void) => {
    addMetric(client, registry, kind, named, report);
    added.push(named.name);
  };
  const end = () => {
    for (const name of added.splice(0)) registry.removeSingleMetric(name);
  };

  try {
    for (const metric of metrics) {
      const { help, kind, label } = metric;
      const labelNames = label === undefined ? ['cache'] : ['cache', label];
      add(kind, { name: prometheusName(metric), help, labelNames, aggregator: 'sum' }, (to) =>
        reportMetric(metric, all, to),
      );
    }
    add('gauge', { ...loadDuration, labelNames: ['cache', 'quantile'], aggregator: 'max' }, (to) =>
      reportDurations(all, to),
    );
  } catch (error) {
    end();
    throw error;
  }
  return end;
}

type Named = Omit<PromOptions<unknown>, 'registers' | 'collect'>;

function addMetric<Registry extends PromRegistry>(
  client: PromClient<Registry>,
  registry: Registry,
  kind: Metric['kind'],
  named: Named,
  report: (to: Report) => void,
): void {
  const options = { ...named, registers: [registry] };
  // Both keep what they were told before, and a counter only adds to it.
  if (kind === 'gauge') {
    const gauge = new client.Gauge({
      ...options,
      collect() {
        gauge.reset();
        report((labels, value) => gauge.set(labels, value));
      },
    });
  } else {
    const counter = new client.Counter({
      ...options,
      collect() {
        counter.reset();
        report((labels, value) => counter.inc(labels, value));
      },
    });
  }
}

function reportMetric(metric: Metric, all: Listed, to: Report): void {
  for (const [name, cache] of all) {
    for (const sample of metric.samples(cache.stats())) to(labelsOf(metric, name, sample), sample.value);
  }
}

function reportDurations(all: Listed, to: Report): void {
  for (const [cache, observable] of all) {
    for (const { quantile, seconds } of loadQuantiles(observable.stats())) to({ cache, quantile }, seconds);
  }
}
