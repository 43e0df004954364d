// Collecting: one set of instruments (OpenTelemetry's SDK), read by whoever asks: the scrape of /metrics, and an OTLP receiver where the standard
// environment names one. Loaded only where somebody asks (a stdio server without a receiver never does), and never able to fail a call.

import { DiagLogLevel, diag } from '@opentelemetry/api';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import { type Config, isExporting } from '../config.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { Telemetry } from '../hub/telemetry.ts';
import type { Log } from '../system/log.ts';
import { logWriteFailures } from '../system/log-failures.ts';
import { Instruments } from './instruments.ts';
import { metricsReader, spanExporter } from './otlp.ts';
import { observeProcess } from './process-gauges.ts';
import { ScrapeReader } from './scrape.ts';
import { observeShared } from './shared-gauges.ts';
import { Spans } from './spans.ts';

/** How long a closing process waits for its receiver. */
const FLUSH_MS = 500;

export type Collector = Telemetry & {
  /** Begins to tell what all processes share, too. Only one process per hub should, so that sums over processes are right: the one that serves. */
  follow(hub: Hub): Promise<void>;
  /** Everything in the text format of Prometheus. */
  scrape(): Promise<string>;
  /** Sends what has not been sent. Idempotent; never throws. */
  close(): Promise<void>;
};

export type CollectorParts = { config: Pick<Config, 'otel' | 'databasePath' | 'backupDir'>; process: 'serve' | 'stdio'; log: Log };

export async function collectTelemetry({ config, process: role, log }: CollectorParts): Promise<Collector> {
  tellFaults(log);
  const resource = resourceFromAttributes({
    'service.name': 'rookery',
    'service.version': VERSION,
    'rookery.process': role,
    'process.pid': process.pid,
  }).merge(detectResources({ detectors: [envDetector] }));
  const scraped = role === 'serve' ? new ScrapeReader() : undefined;
  const sent = isExporting(config.otel, 'metrics') ? await metricsReader(config.otel) : undefined;
  const readers: MetricReader[] = [scraped, sent].filter((reader) => reader !== undefined);
  const meters = new MeterProvider({ resource, readers });
  const instruments = new Instruments(meters);
  const spans = isExporting(config.otel, 'traces') ? new Spans(resource, await spanExporter(config.otel), config.otel) : undefined;
  observeProcess(instruments);
  instruments.gauge('hub.log_write_failures', logWriteFailures);
  let closing: Promise<void> | undefined;
  return {
    traces: spans !== undefined,
    count: (name, by, attributes) => instruments.count(name, by, attributes),
    record: (name, value, attributes) => instruments.record(name, value, attributes),
    gauge: (name, read) => instruments.gauge(name, read),
    call: (name, parent, attributes) => spans?.call(name, parent, attributes),
    span: (span) => spans?.add(span),
    follow: (hub) => observeShared(instruments, hub, config),
    scrape: async () => (scraped === undefined ? '' : await scraped.scrape()),
    close: () => {
      closing ??= Promise.allSettled([meters.shutdown({ timeoutMillis: FLUSH_MS }), within(FLUSH_MS, spans?.shutdown())]).then(() => {});
      return closing;
    },
  };

  async function within(ms: number, work: Promise<void> | undefined): Promise<void> {
    const { systemClock } = await import('../system/clock.ts');
    await Promise.race([work, systemClock.sleep(ms)]);
  }
}

/** A receiver that is away is told of in the log, by its fault, never by what was to be sent. */
function tellFaults(log: Log): void {
  const tell = (message: string) => log.warn({ event: 'telemetry_fault', what: message.slice(0, 200) }, 'telemetry was not sent');
  diag.setLogger(
    { error: tell, warn: tell, info: () => {}, debug: () => {}, verbose: () => {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
