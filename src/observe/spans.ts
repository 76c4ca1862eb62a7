/** Makes a span of each load, with what the loader does inside it. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { HotshelfError } from '../support/errors.ts';
import type { LoadMessage } from './channels.ts';

/** What is used of a `Tracer` of the package `@opentelemetry/api`. */
export interface Tracer {
  startActiveSpan(name: string, options: SpanOptions, run: (span: Span) => Promise<void>): Promise<void>;
}

export interface SpanOptions {
  readonly attributes: Record<string, string | boolean>;
}

export interface Span {
  setAttribute(name: string, value: string): unknown;
  setStatus(status: { code: 2 }): unknown;
  end(): void;
}

const channel = 'tracing:hotshelf:load:start';
/** `SpanStatusCode.ERROR` */
const failed = 2;

/** Makes spans until the returned function is called; those that are open then end with their loads. */
export function traceLoads(tracer: Tracer, keys: boolean): () => void {
  const onStart = (message: unknown) => {
    const { cache, key, behind, wrap } = message as LoadMessage;
    const attributes = { 'hotshelf.namespace': cache, 'hotshelf.behind': behind, ...(keys && { 'hotshelf.key': key }) };
    wrap((load) => tracer.startActiveSpan('hotshelf.load', { attributes }, (span) => within(span, load)));
  };
  subscribe(channel, onStart);
  return () => void unsubscribe(channel, onStart);
}

async function within(span: Span, load: () => Promise<void>): Promise<void> {
  try {
    await load();
  } catch (error) {
    span.setAttribute('error.type', typeOf(error));
    span.setStatus({ code: failed });
    throw error;
  } finally {
    span.end();
  }
}

/** The kind of an error, by a word that can hold no value: messages of databases quote rows. */
function typeOf(error: unknown): string {
  if (error instanceof HotshelfError) return error.code;
  const name = error instanceof Error ? error.name : '';
  // OpenTelemetry's word for a kind that has no name.
  return /^[A-Za-z]\w{0,49}$/.test(name) ? name : '_OTHER';
}
