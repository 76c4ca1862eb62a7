/** Gives a test a real meter of OpenTelemetry, and what it collects. */

import type { Meter } from '@opentelemetry/api';
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

/** Collects when it is told to. */
class Reader extends MetricReader {
  protected override onShutdown = async () => undefined;
  protected override onForceFlush = async () => undefined;
}

export interface Collected {
  readonly unit: string;
  readonly description: string;
  readonly points: readonly (DataPoint<number> | DataPoint<Histogram>)[];
}

export interface Meters {
  readonly meter: Meter;
  /** What the caches say now, by the name of the metric. */
  readonly collect: () => Promise<Map<string, Collected>>;
}

export function meters(): Meters {
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  return {
    meter: provider.getMeter('test'),
    async collect() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new AggregateError(errors);
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return new Map(
        metrics.map(({ descriptor: { name, unit, description }, dataPoints }) => [
          name,
          { unit, description, points: dataPoints as Collected['points'] },
        ]),
      );
    },
  };
}
