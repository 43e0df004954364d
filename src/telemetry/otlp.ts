// Where telemetry is sent: to the receiver that OpenTelemetry's own environment variables name, over HTTP, as protobuf or JSON. The exporters
// read the rest of these variables (headers, time-outs, compression, certificates) themselves.

import { type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { HubError } from '../hub/errors.ts';

export type Signal = 'traces' | 'metrics';
export type Variables = Readonly<Record<string, string>>;

const METRICS_EVERY_MS = 60_000;

export async function spanExporter(otel: Variables): Promise<SpanExporter> {
  if (protocolOf(otel, 'traces') === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return new OTLPTraceExporter();
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter();
}

export async function metricsReader(otel: Variables): Promise<MetricReader> {
  const { OTLPMetricExporter } =
    protocolOf(otel, 'metrics') === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  const every = positive(otel.OTEL_METRIC_EXPORT_INTERVAL) ?? METRICS_EVERY_MS;
  const timeout = Math.min(every, positive(otel.OTEL_METRIC_EXPORT_TIMEOUT) ?? 30_000);
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: every,
    exportTimeoutMillis: timeout,
  });
}

/** A number of an OTEL_ variable; undefined where it is none. */
export function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

function protocolOf(otel: Variables, signal: Signal): 'http/protobuf' | 'http/json' {
  const protocol = otel[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`] ?? otel.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  throw new HubError(
    'invalid_input',
    `OTEL_EXPORTER_OTLP_PROTOCOL: ${protocol.slice(0, 20)} is not spoken; http/protobuf and http/json are.`,
    {
      hint: 'Receivers take them on port 4318.',
    },
  );
}
