// Spans: those of calls get ids by chance, those of messages and tasks have theirs (hub/trace.ts). All are made by one tracer, so that sampling,
// batching and sending are the SDK's.

import {
  type Link,
  ROOT_CONTEXT,
  type SpanContext as SdkContext,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Attributes, CallSpan } from '../hub/telemetry.ts';
import { type SpanContext, type SpanRecord, toTraceparent, traceOf } from '../hub/trace.ts';
import { positive, type Variables } from './otlp.ts';

/** Soon enough for somebody who looks at what an agent has just done. */
const SEND_EVERY_MS = 1_000;

const KINDS: Readonly<Record<SpanRecord['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
};

export class Spans {
  readonly #provider: TracerProvider;
  readonly #ids = new KnownIds();

  constructor(resource: Resource, exporter: SpanExporter, otel: Variables) {
    const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: positive(otel.OTEL_BSP_SCHEDULE_DELAY) ?? SEND_EVERY_MS });
    this.#provider = new TracerProvider({ resource, spanProcessors: [processor], idGenerator: this.#ids, sampler: samplerOf(otel) });
  }

  call(name: string, parent: string | undefined, attributes: Attributes): CallSpan {
    const context = traceOf(parent);
    const above = context === undefined ? undefined : toSdk(context, isSampledParent(parent));
    const span = this.#start(name, { kind: SpanKind.SERVER, attributes }, above);
    return {
      traceparent: toTraceparent(span.spanContext(), isSampled(span.spanContext())),
      end(more, error) {
        span.setAttributes(more);
        fail(span, error);
        span.end();
      },
    };
  }

  add({ name, kind, parentSpanId, traceId, spanId, startAt, endAt, attributes, link, error }: SpanRecord): void {
    const parent = parentSpanId === null ? undefined : toSdk({ traceId, spanId: parentSpanId });
    const caller = traceOf(link);
    const links = caller === undefined ? [] : [{ context: toSdk(caller) }];
    this.#ids.next = { traceId, spanId };
    const span = this.#start(name, { kind: KINDS[kind], attributes, startTime: startAt, links }, parent);
    fail(span, error);
    span.end(endAt ?? startAt);
  }

  shutdown(): Promise<void> {
    return this.#provider.shutdown();
  }

  #start(
    name: string,
    options: { kind: SpanKind; attributes: Attributes; startTime?: number; links?: Link[] },
    parent: SdkContext | undefined,
  ): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return this.#provider.getTracer('rookery').startSpan(name, { ...options, root: parent === undefined }, context);
  }
}

/** Chance, but for the one span whose ids are known. */
class KnownIds implements IdGenerator {
  readonly #chance = new RandomIdGenerator();
  next: SpanContext | undefined;

  generateTraceId(): string {
    return this.next?.traceId ?? this.#chance.generateTraceId();
  }

  generateSpanId(): string {
    const known = this.next?.spanId;
    this.next = undefined;
    return known ?? this.#chance.generateSpanId();
  }
}

function toSdk({ traceId, spanId }: SpanContext, sampled = true): SdkContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

/** The last digit of a traceparent's flags says whether its sender keeps the trace. */
function isSampledParent(traceparent: string | undefined): boolean {
  return (Number.parseInt(traceparent?.slice(-2) ?? '01', 16) & TraceFlags.SAMPLED) !== 0;
}

function isSampled({ traceFlags }: SdkContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

function fail(span: Span, error: string | undefined): void {
  if (error === undefined) return;
  span.setAttribute('error.type', error);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** OTEL_TRACES_SAMPLER, in the names of the specification; what it does not know is the default. */
function samplerOf({ OTEL_TRACES_SAMPLER: name = '', OTEL_TRACES_SAMPLER_ARG: ratio }: Variables): Sampler {
  const share = ratio === undefined || !Number.isFinite(Number(ratio)) ? 1 : Number(ratio);
  const root: Sampler = name.endsWith('always_off')
    ? new AlwaysOffSampler()
    : name.endsWith('traceidratio')
      ? new TraceIdRatioBasedSampler(share)
      : new AlwaysOnSampler();
  return name === '' || name.startsWith('parentbased') ? new ParentBasedSampler({ root }) : root;
}
