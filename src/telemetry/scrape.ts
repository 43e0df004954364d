// The text format of Prometheus. Units are part of the names there (`_seconds`, `_bytes`), as OpenTelemetry's rules for Prometheus ask.

import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { AggregationTemporality, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

const SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

export class ScrapeReader extends MetricReader {
  readonly #serializer = new PrometheusSerializer();

  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE });
  }

  async scrape(): Promise<string> {
    const { resourceMetrics, errors } = await this.collect();
    if (errors.length > 0 && resourceMetrics.scopeMetrics.length === 0) throw errors[0];
    return this.#serializer.serialize(withUnits(resourceMetrics));
  }

  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

function withUnits(given: ResourceMetrics): ResourceMetrics {
  return {
    ...given,
    scopeMetrics: given.scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.map((metric) => ({
        ...metric,
        descriptor: { ...metric.descriptor, name: metric.descriptor.name + (SUFFIXES[metric.descriptor.unit] ?? '') },
      })),
    })),
  };
}
