// Traces: which trace a piece of work belongs to, across processes and agents. The ids of what the hub keeps (a message, a version of a task) are
// derived from it, so that every process knows the same ones without a column for them; the trace is that of whoever caused it, as far as that
// one told. A message therefore is one trace from the send to its acknowledgement, and a task one from its creation to the last verdict.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { Attributes } from './telemetry.ts';

export type SpanContext = { traceId: string; spanId: string };

/** A span with ids of its own. Instants are hub time; one that ends with its transaction has none yet. */
export type SpanRecord = SpanContext & {
  name: string;
  kind: 'internal' | 'producer' | 'consumer' | 'client';
  parentSpanId: string | null;
  startAt: number;
  endAt: number | null;
  attributes: Attributes;
  /** The call that did it, where that is in another trace. */
  link?: string | undefined;
  /** Why it failed. */
  error?: string | undefined;
};

/** W3C trace context, level 1: version, trace, parent, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Trace and span of a traceparent; undefined for a text that is none. */
export function traceOf(traceparent: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId) ? undefined : { traceId, spanId };
}

export function toTraceparent({ traceId, spanId }: SpanContext, isSampled = true): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** An id of so many hexadecimal digits, the same for the same text. */
export function derivedId(text: string, digits: 16 | 32): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** What is known of the call within which something happens. */
export type CallScope = {
  /** The trace that it belongs to, if it belongs to one. */
  readonly traceparent: string | undefined;
  /** For how long it has only waited, milliseconds. */
  waitedMs: number;
};

const scopes = new AsyncLocalStorage<CallScope>();

export function withinCall<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
  return scopes.run(scope, work);
}

export function currentCall(): CallScope | undefined {
  return scopes.getStore();
}
