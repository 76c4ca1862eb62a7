/** What hotshelf tells about itself, and to whom: `hotshelf/observe`. */

export type { LoadAbout, LoadMessage } from './channels.ts';
export type { BypassReason, CacheEvent, RefreshReason, StaleReason, Tier } from './events.ts';
export type { Observable, Observables } from './observable.ts';
export { observeWithOpenTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
export { observeWithPromClient } from './prom-client.ts';
export { prometheusText } from './prometheus.ts';
export type { CacheStats, LocalSize } from './stats.ts';
