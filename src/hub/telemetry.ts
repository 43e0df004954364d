// What the hub tells of its own work, as numbers: every instrument by name, with its unit, its labels and what it counts. Whoever works reports
// to a Telemetry, which does nothing unless somebody collects. Invariant: no label is an id, a name that agents choose, or anybody's words.
//
// `hub` instruments tell of the database, which all processes share: they are counted from it, by the one process that is asked, and say the same
// whoever is asked. `process` instruments tell of one process only. Names follow the semantic conventions of OpenTelemetry where these have one.

import type { SpanRecord } from './trace.ts';

export type Attributes = Readonly<Record<string, string | number | boolean>>;
export type Scope = 'hub' | 'process';

type Instrument = {
  readonly scope: Scope;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** UCUM: s, By, or 1 in braces for what is counted. */
  readonly unit: string;
  readonly what: string;
  readonly labels?: readonly string[];
};

export const INSTRUMENTS = {
  'hub.build_info': { scope: 'hub', kind: 'gauge', unit: '', what: 'always 1', labels: ['version', 'engine', 'schema'] },
  'hub.events': { scope: 'hub', kind: 'counter', unit: '', what: 'events of all projects', labels: ['type'] },
  'hub.messages.accepted': { scope: 'hub', kind: 'counter', unit: '', what: 'messages on disk' },
  'hub.messages.acked': { scope: 'hub', kind: 'counter', unit: '', what: 'deliveries that were acknowledged', labels: ['how'] },
  'hub.messages.dead': { scope: 'hub', kind: 'counter', unit: '', what: 'deliveries that were set aside' },
  'hub.messages.expired': { scope: 'hub', kind: 'counter', unit: '', what: 'deliveries that ran out before they were acknowledged' },
  'hub.redeliveries': { scope: 'hub', kind: 'counter', unit: '', what: 'showings of what had been shown before' },
  'hub.accept_to_shown': { scope: 'hub', kind: 'histogram', unit: 's', what: 'from acceptance to the first showing' },
  'hub.shown_to_acked': { scope: 'hub', kind: 'histogram', unit: 's', what: 'from the first showing to the acknowledgement' },
  'hub.inbox.messages': {
    scope: 'hub',
    kind: 'gauge',
    unit: '',
    what: 'deliveries that are not closed, and dead letters',
    labels: ['state'],
  },
  'hub.oldest_unacked': { scope: 'hub', kind: 'gauge', unit: 's', what: 'age of the oldest delivery that waits or is not acknowledged' },
  'hub.wakes': { scope: 'hub', kind: 'counter', unit: '', what: 'wake-ups that ended', labels: ['door', 'outcome'] },
  'hub.leases.expired': { scope: 'hub', kind: 'counter', unit: '', what: 'leases that were lost', labels: ['kind'] },
  'hub.reminders.late': { scope: 'hub', kind: 'histogram', unit: 's', what: 'how late reminders fired' },
  'hub.tool.calls': { scope: 'hub', kind: 'counter', unit: '', what: 'tool calls of all processes', labels: ['tool', 'code'] },
  'hub.tool.call.duration': { scope: 'hub', kind: 'histogram', unit: 's', what: 'how long they took, waits included', labels: ['tool'] },
  'hub.sessions': { scope: 'hub', kind: 'gauge', unit: '', what: 'sessions that have not ended', labels: ['door'] },
  'hub.tasks': { scope: 'hub', kind: 'gauge', unit: '', what: 'tasks that have not ended', labels: ['state'] },
  'hub.obligations': {
    ...{ scope: 'hub', kind: 'gauge', unit: '', what: 'open asks, approvals, reviews and reminders' },
    labels: ['kind', 'state'],
  },
  'hub.db': { scope: 'hub', kind: 'gauge', unit: 'By', what: 'size of the database' },
  'hub.wal': { scope: 'hub', kind: 'gauge', unit: 'By', what: 'size of its write-ahead log' },
  'hub.disk.free': { scope: 'hub', kind: 'gauge', unit: 'By', what: 'room on its disk' },
  'hub.backup.last_success_timestamp': {
    scope: 'hub',
    kind: 'gauge',
    unit: 's',
    what: 'when the newest backup was made; absent without one',
  },
  'hub.scheduler.heartbeat_timestamp': { scope: 'hub', kind: 'gauge', unit: 's', what: 'when timed duties last ran, in any process' },
  'mcp.server.operation.duration': {
    ...{ scope: 'process', kind: 'histogram', unit: 's', what: 'tool calls of this process, waits included' },
    labels: ['mcp.method.name', 'gen_ai.tool.name', 'network.transport', 'error.type'],
  },
  'mcp.server.session.duration': {
    ...{ scope: 'process', kind: 'histogram', unit: 's', what: 'MCP sessions that ended' },
    labels: ['network.transport'],
  },
  'messaging.client.operation.duration': {
    ...{ scope: 'process', kind: 'histogram', unit: 's', what: 'send, recv_batch and ack' },
    labels: ['messaging.system', 'messaging.operation.name', 'messaging.operation.type', 'error.type'],
  },
  'messaging.client.sent.messages': {
    ...{ scope: 'process', kind: 'counter', unit: '', what: 'messages that were sent through this process' },
    labels: ['messaging.system', 'messaging.operation.name'],
  },
  'messaging.client.consumed.messages': {
    ...{ scope: 'process', kind: 'counter', unit: '', what: 'messages that were shown through this process' },
    labels: ['messaging.system', 'messaging.operation.name'],
  },
  'hub.idempotent_replays': { scope: 'process', kind: 'counter', unit: '', what: 'calls that were answered with an earlier result' },
  'hub.idempotency_conflicts': { scope: 'process', kind: 'counter', unit: '', what: 'keys that came again with other arguments' },
  'hub.stale_calls': { scope: 'process', kind: 'counter', unit: '', what: 'calls that were fenced off', labels: ['kind'] },
  'hub.rate_limited': { scope: 'process', kind: 'counter', unit: '', what: 'calls that were refused for their rate' },
  'hub.slow': {
    scope: 'process',
    kind: 'counter',
    unit: '',
    what: 'calls and statements over the threshold of the slow log',
    labels: ['kind'],
  },
  'hub.db.commit': { scope: 'process', kind: 'histogram', unit: 's', what: 'from taking the write lock to the end of the commit' },
  'hub.db.commit_writes': { scope: 'process', kind: 'histogram', unit: '', what: 'how many writes shared a commit' },
  'hub.db.write_wait': { scope: 'process', kind: 'histogram', unit: 's', what: 'from asking for a write to having the write lock' },
  'hub.db.busy': { scope: 'process', kind: 'counter', unit: '', what: 'looks at the write lock that found it taken' },
  'hub.scheduler.runs': { scope: 'process', kind: 'counter', unit: '', what: 'runs of timed duties', labels: ['duty', 'outcome'] },
  'hub.scheduler.lag': { scope: 'process', kind: 'histogram', unit: 's', what: 'how late they began' },
  'hub.event_streams': { scope: 'process', kind: 'gauge', unit: '', what: 'open readers of /events' },
  'hub.event_stream.opened': { scope: 'process', kind: 'counter', unit: '', what: 'readers that came', labels: ['resumed'] },
  'hub.event_stream.drops': { scope: 'process', kind: 'counter', unit: '', what: 'readers that were cut off because they did not read' },
  'hub.event_stream.sent': { scope: 'process', kind: 'counter', unit: '', what: 'events that were written to readers' },
  'hub.event_stream.buffered': { scope: 'process', kind: 'gauge', unit: 'By', what: 'what readers have not taken yet' },
  'hub.auth_failures': { scope: 'process', kind: 'counter', unit: '', what: 'requests that were not authenticated', labels: ['reason'] },
  'hub.log_write_failures': { scope: 'process', kind: 'gauge', unit: '', what: 'lines of the log that could not be written' },
  'nodejs.eventloop.delay.p50': { scope: 'process', kind: 'gauge', unit: 's', what: 'delay of the event loop since the last look' },
  'nodejs.eventloop.delay.p99': { scope: 'process', kind: 'gauge', unit: 's', what: 'delay of the event loop since the last look' },
  'nodejs.eventloop.delay.max': { scope: 'process', kind: 'gauge', unit: 's', what: 'delay of the event loop since the last look' },
  'process.memory.usage': { scope: 'process', kind: 'gauge', unit: 'By', what: 'resident memory' },
  'v8js.memory.heap.used': { scope: 'process', kind: 'gauge', unit: 'By', what: 'used heap' },
  'process.uptime': { scope: 'process', kind: 'gauge', unit: 's', what: 'since the process started' },
} as const satisfies Record<string, Instrument>;

export type InstrumentName = keyof typeof INSTRUMENTS;
type OfKind<K extends string> = { [N in InstrumentName]: (typeof INSTRUMENTS)[N]['kind'] extends K ? N : never }[InstrumentName];
export type CounterName = OfKind<'counter'>;
export type HistogramName = OfKind<'histogram'>;
export type GaugeName = OfKind<'gauge'>;

/** Boundaries of histograms of seconds (semantic conventions of messaging), with what a hub waits for beyond them. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 60, 300, 1_800, 7_200] as const;
/** Boundaries of histograms that count. */
export const COUNTS = [1, 2, 4, 8, 16, 32, 64] as const;

/** The span of a call that is under way. */
export type CallSpan = {
  /** As W3C writes it: what happens within the call names it as its parent. */
  readonly traceparent: string;
  end(attributes: Attributes, error: string | undefined): void;
};

export interface Telemetry {
  /** Whether anybody collects spans: what is looked up only for them is left out otherwise. */
  readonly traces: boolean;
  count(counter: CounterName, by?: number, attributes?: Attributes): void;
  /** Seconds, or a count. */
  record(histogram: HistogramName, value: number, attributes?: Attributes): void;
  /** Asked for its value whenever somebody collects. */
  gauge(gauge: GaugeName, read: () => number): void;
  /** Begins the span of a call; undefined where nobody collects. `parent` is the W3C context that its caller told, if any. */
  call(name: string, parent: string | undefined, attributes: Attributes): CallSpan | undefined;
  /** A span whose ids are known and which is over, such as a message's. */
  span(span: SpanRecord): void;
}

export const NO_TELEMETRY: Telemetry = { traces: false, count() {}, record() {}, gauge() {}, call: () => undefined, span() {} };

/** Milliseconds as the instruments have them. */
export function seconds(ms: number): number {
  return ms / 1_000;
}
