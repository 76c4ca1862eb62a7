/** Writes what caches counted as text that Prometheus reads, without any package. */

import { type Labels, labelsOf, loadDuration, loadQuantiles, type Metric, metrics, prometheusName } from './metrics.ts';
import { listObservables, type Observables } from './observable.ts';
import type { CacheStats } from './stats.ts';

type Line = readonly [labels: Labels, value: number];

/**
 * Returns the counts of `caches` in Prometheus' text format 0.0.4, each with the label `cache`: its name here. No keys and no
 * values are in it. Gauges of the local tier appear for caches that have one; without caches the text is empty.
 *
 * `hotshelf_load_duration_seconds` is about all loads since the cache was made; rates are better taken of the counters.
 *
 * @throws {HotshelfError} `OPTION_INVALID` when something in `caches` is no cache.
 * @example
 * app.get('/metrics', (_request, response) => {
 *   response.type('text/plain; version=0.0.4').send(prometheusText({ main: cache }));
 * });
 */
export function prometheusText(caches: Observables): string {
  const all = listObservables(caches, 'prometheusText()').map(([name, cache]) => ({ name, stats: cache.stats() }));
  const families = metrics.map((metric) => {
    const lines = all.flatMap(({ name, stats }) => linesOf(metric, name, stats));
    return family(prometheusName(metric), metric.kind, metric.help, lines);
  });
  const durations = all.flatMap(({ name, stats }) =>
    loadQuantiles(stats).map(({ quantile, seconds }): Line => [{ cache: name, quantile }, seconds]),
  );
  return [...families, family(loadDuration.name, 'summary', loadDuration.help, durations)].join('');
}

function linesOf(metric: Metric, cache: string, stats: CacheStats): Line[] {
  return metric.samples(stats).map((sample) => [labelsOf(metric, cache, sample), sample.value]);
}

function family(name: string, type: string, help: string, lines: readonly Line[]): string {
  if (lines.length === 0) return '';
  const samples = lines.map(([labels, value]) => `${name}{${written(labels)}} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join('')}`;
}

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, (mark) => (mark === '\n' ? '\\n' : `\\${mark}`))}"`,
    )
    .join(',');
}
