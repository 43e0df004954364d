// The instruments of hub/telemetry.ts as OpenTelemetry has them. A number that cannot be taken is dropped: measuring must never fail what it measures.

import type { Counter, Histogram, Meter, ObservableGauge } from '@opentelemetry/api';
import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  type Attributes,
  COUNTS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  type Scope,
  SECONDS,
} from '../hub/telemetry.ts';

export type Observed = { name: GaugeName; value: number; attributes?: Attributes };

export class Instruments {
  readonly #meters: Record<Scope, Meter>;
  readonly #counters = new Map<InstrumentName, Counter>();
  readonly #histograms = new Map<InstrumentName, Histogram>();
  readonly #gauges = new Map<InstrumentName, ObservableGauge>();

  constructor(provider: MeterProvider) {
    this.#meters = { hub: provider.getMeter('rookery.hub'), process: provider.getMeter('rookery.process') };
    this.begin('process');
  }

  /** Makes the instruments of a scope; until then what they are told is nothing. */
  begin(asked: Scope): void {
    const all = Object.entries(INSTRUMENTS) as [InstrumentName, (typeof INSTRUMENTS)[InstrumentName]][];
    for (const [name, { scope, kind, unit, what, ...more }] of all.filter(([, one]) => one.scope === asked)) {
      const meter = this.#meters[scope];
      const options = { description: what, unit };
      if (kind === 'counter') {
        const counter = meter.createCounter(name, options);
        this.#counters.set(name, counter);
        if (!('labels' in more)) counter.add(0); // a series that is there from the start shows its first rise
      } else if (kind === 'histogram') {
        const boundaries = [...(unit === 's' ? SECONDS : COUNTS)];
        this.#histograms.set(name, meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: boundaries } }));
      } else {
        this.#gauges.set(name, meter.createObservableGauge(name, options));
      }
    }
  }

  count(name: CounterName, by = 1, attributes?: Attributes): void {
    this.#counters.get(name)?.add(by, attributes);
  }

  record(name: HistogramName, value: number, attributes?: Attributes): void {
    if (Number.isFinite(value)) this.#histograms.get(name)?.record(Math.max(0, value), attributes);
  }

  gauge(name: GaugeName, read: () => number): void {
    this.#gauges.get(name)?.addCallback((result) => result.observe(read()));
  }

  /** Several gauges by one look, which everybody who collects waits for. */
  gauges(scope: Scope, look: () => Promise<readonly Observed[]>): void {
    const gauges = [...this.#gauges].flatMap(([name, gauge]) => (INSTRUMENTS[name].scope === scope ? [gauge] : []));
    this.#meters[scope].addBatchObservableCallback(async (result) => {
      for (const { name, value, attributes } of await look()) {
        const gauge = this.#gauges.get(name);
        if (gauge !== undefined) result.observe(gauge, value, attributes);
      }
    }, gauges);
  }
}
