// Telemetry of real processes: what Prometheus scrapes, and what an OTLP receiver is sent.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it } from 'vitest';
import { INSTRUMENTS } from '../../src/hub/telemetry.ts';
import { cleanup, scratch } from '../support/engines.ts';
import { api, ask, call } from './http-hub.ts';
import { built, MAIN, serveProcess, tokenFrom } from './http-process.ts';
import { attribute, type Receiver, receiveOtlp } from './otlp-receiver.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

function freshHome(): string {
  const home = join(scratch(), 'home');
  mkdirSync(home, { mode: 0o700 });
  return home;
}

/** An agent whose client starts a server of its own. */
async function agent(home: string, name: string, env: Record<string, string> = {}): Promise<Client> {
  built();
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'stdio', '--home', home, '--project', 'demo', '--agent', name],
    env: { PATH: process.env.PATH ?? '', HOME: home, ...env },
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test-client', version: '1' });
  await client.connect(transport);
  cleanup(() => client.close());
  return client;
}

/** Asks until it is so: what is sent in the background has no event to wait for. */
async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Sample = { name: string; labels: Record<string, string>; value: number };

/** The text format of Prometheus, strictly: whatever is not of it fails. */
function parse(text: string): Sample[] {
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  return text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const comment = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
      if (comment !== null) {
        if (comment[1] === 'TYPE') {
          expect([line, types.has(comment[2] ?? '')]).toEqual([line, false]);
          types.set(comment[2] ?? '', comment[3] ?? '');
        }
        return [];
      }
      const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|\+Inf|NaN)$/.exec(line);
      if (found === null) throw new Error(`no sample: ${line}`);
      const [, name = '', labels = '', value = ''] = found;
      const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      if (!types.has(family)) throw new Error(`without a type: ${line}`);
      const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)];
      expect(pairs.map((pair) => pair[0]).join('')).toBe(labels);
      return [{ name, labels: Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', pair[2] ?? ''])), value: Number(value) }];
    });
}

describe('metrics', () => {
  it('are all that their token is for: no agent stands behind it, and no agent takes its role to read of all projects', async () => {
    const home = freshHome();
    const { url } = await serveProcess(home);
    const [watcher, ada] = await Promise.all([tokenFrom(home, 'prometheus', ['--role', 'metrics']), tokenFrom(home, 'ada')]);
    for (const path of ['/api/send', '/api/list_agents', '/mcp'])
      expect((await ask(url, path, { method: 'POST', token: watcher, body: '{}' })).status).toBe(403);
    expect((await api(url, ada, 'join', { role: 'metrics' })).body).toMatchObject({ code: 'forbidden' });
    expect((await api(url, ada, 'send', { to: 'prometheus', body: 'x' })).body).toMatchObject({ code: 'not_found' });
    expect((await api(url, ada, 'send', { to: '*', body: 'x' })).body).toMatchObject({ code: 'not_found' });
    expect(JSON.stringify((await api(url, ada, 'list_agents', {})).body)).not.toContain('prometheus');
    expect((await ask(url, '/metrics', { token: watcher })).status).toBe(200);
  });

  it('are for a token that may, parse, move, and tell the same of work in any process', async () => {
    const home = freshHome();
    const { url } = await serveProcess(home);
    const [watcher, operator, ada] = await Promise.all([
      tokenFrom(home, 'prometheus', ['--role', 'metrics']),
      tokenFrom(home, 'operator'),
      tokenFrom(home, 'ada'),
    ]);
    const scrape = async () => parse((await ask(url, '/metrics', { token: watcher })).text);
    const totalOf = (samples: Sample[], name: string, labels: Record<string, string> = {}) =>
      samples
        .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
        .reduce((sum, { value }) => sum + value, 0);
    expect([(await ask(url, '/metrics')).status, (await ask(url, '/metrics', { token: ada })).status]).toEqual([401, 403]);
    expect((await ask(url, '/metrics', { token: operator })).status).toBe(200);
    expect((await ask(url, '/metrics', { token: watcher })).headers['content-type']).toContain('text/plain; version=0.0.4');
    const before = await scrape();

    const bob = await agent(home, 'bob');
    await call(bob, 'whoami');
    await api(url, ada, 'send', { to: 'bob', body: 'by one process' });
    const { receipt } = await call(bob, 'recv_batch');
    await call(bob, 'ack', { receipt });
    await api(url, ada, 'send', { to: 'nobody', body: 'x' });
    await call(bob, 'create_task', { title: 'one' });
    await call(bob, 'remind', { message: 'later', in_seconds: 3_600 });

    const after = await eventually(async () => {
      const samples = await scrape();
      return totalOf(samples, 'hub_tool_calls_total', { tool: 'remind' }) === 1 ? samples : undefined;
    });
    const rise = (name: string, labels?: Record<string, string>) => totalOf(after, name, labels) - totalOf(before, name, labels);
    expect(rise('hub_messages_accepted_total')).toBe(1);
    expect(rise('hub_messages_acked_total', { how: 'receipt' })).toBe(1);
    expect(rise('hub_accept_to_shown_seconds_count')).toBe(1);
    expect(rise('hub_shown_to_acked_seconds_count')).toBe(1);
    // Of the hub: calls of both processes. Of the process: only its own.
    expect(rise('hub_tool_calls_total', { tool: 'send', code: 'ok' })).toBe(1);
    expect(rise('hub_tool_calls_total', { tool: 'send', code: 'not_found' })).toBe(1);
    expect(rise('hub_tool_calls_total', { tool: 'recv_batch' })).toBe(1);
    expect(rise('hub_tool_call_duration_seconds_count', { tool: 'recv_batch' })).toBe(1);
    expect(rise('mcp_server_operation_duration_seconds_count', { gen_ai_tool_name: 'send', error_type: 'not_found' })).toBe(1);
    expect(rise('mcp_server_operation_duration_seconds_count', { gen_ai_tool_name: 'recv_batch' })).toBe(0);
    expect(rise('hub_auth_failures_total')).toBe(0);
    expect([totalOf(after, 'hub_tasks', { state: 'submitted' }), totalOf(after, 'hub_sessions', { door: 'stdio' })]).toEqual([1, 1]);
    expect(totalOf(after, 'hub_obligations', { kind: 'reminder', state: 'pending' })).toBe(1);
    expect(rise('hub_db_commit_seconds_count')).toBeGreaterThan(0);
    expect(rise('hub_scheduler_runs_total', { outcome: 'ok' })).toBeGreaterThan(0);
    for (const positive of [
      'hub_db_bytes',
      'hub_disk_free_bytes',
      'process_memory_usage_bytes',
      'hub_scheduler_heartbeat_timestamp_seconds',
    ])
      expect([positive, totalOf(after, positive) > 0]).toEqual([positive, true]);

    // Every series says whose it is, and no label is a name that somebody chose, or an id.
    const known = new Set(
      Object.values(INSTRUMENTS)
        .flatMap((one) => ('labels' in one ? one.labels : []))
        .map((label) => label.replaceAll('.', '_')),
    );
    for (const { name, labels } of after) {
      if (name === 'target_info') continue;
      expect(labels.otel_scope_name).toMatch(/^rookery\.(hub|process)$/);
      for (const [label, value] of Object.entries(labels)) {
        expect([name, label, known.has(label) || ['otel_scope_name', 'le'].includes(label)]).toEqual([name, label, true]);
        expect(value).not.toMatch(/^(ada|bob|demo|prometheus)$|_[0-9a-z]{17}$/);
      }
    }
  });

  it('count readers of the event stream that come back, and those that are cut off', async () => {
    const home = freshHome();
    const { url } = await serveProcess(home);
    const operator = await tokenFrom(home, 'operator');
    for (let i = 0; i < 3; i++) await ask(url, '/events', { token: operator, headers: { 'last-event-id': '1' } });
    await ask(url, '/events', { token: operator });
    const text = await eventually(async () => {
      const { text: found } = await ask(url, '/metrics', { token: operator });
      return /hub_event_stream_opened_total\{resumed="false".*\} 1$/m.test(found) ? found : undefined;
    });
    expect(text).toMatch(/hub_event_stream_opened_total\{resumed="true".*\} 3$/m);
    expect(text).toMatch(/hub_event_stream_drops_total\{.*\} 0$/m);
    const health = JSON.parse((await ask(url, '/api/views/health', { token: operator })).text);
    expect(health.server.streams).toMatchObject({ opened: 4, resumed: 3, cut_off: 0 });
  });
});

function otlp(receiver: Receiver, more: Record<string, string> = {}): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...more,
  };
}

describe('traces', () => {
  it('follow a message from its send to its acknowledgement, through two processes, in the trace of its client', async () => {
    const [home, receiver] = [freshHome(), await receiveOtlp()];
    const [ada, bob] = [await agent(home, 'ada', otlp(receiver)), await agent(home, 'bob', otlp(receiver))];
    await call(bob, 'whoami');
    const sent = await ada.callTool({
      name: 'send',
      arguments: { to: 'bob', body: 'a secret body' },
      _meta: { traceparent: `00-${TRACE}-${SPAN}-01` },
    });
    const { message_id: messageId } = sent.structuredContent as { message_id: string };
    const { receipt } = await call(bob, 'recv_batch');
    await call(bob, 'ack', { receipt });
    await call(ada, 'send', { to: 'nobody', body: 'refused' });
    const find = (name: string, traceId?: string) =>
      receiver.spans.find((one) => one.name === name && (traceId ?? one.traceId) === one.traceId);
    await eventually(() => find('ack inbox/{agent}') && receiver.spans.find((one) => one.status?.code === 2));

    const spanOf = (name: string, traceId?: string) =>
      find(name, traceId) ?? expect.fail(`no span ${name} in ${receiver.spans.map((one) => one.name)}`);
    const tool = spanOf('tools/call send', TRACE);
    const [produced, received, processed, acked] = ['send', 'recv_batch', 'process', 'ack'].map((one) =>
      spanOf(`${one} inbox/{agent}`, TRACE),
    );
    expect([tool.parentSpanId, produced?.parentSpanId, received?.parentSpanId, processed?.parentSpanId, acked?.parentSpanId]).toEqual([
      ...[SPAN, tool.spanId, produced?.spanId, received?.spanId, processed?.spanId],
    ]);
    // Server, producer, consumer, consumer, client.
    expect([tool.kind, produced?.kind, received?.kind, processed?.kind, acked?.kind]).toEqual([2, 4, 5, 5, 3]);
    expect(received?.pid).not.toBe(produced?.pid);
    expect(received?.links?.[0]?.spanId).toBe(spanOf('tools/call recv_batch').spanId);
    expect(attribute(tool, 'gen_ai.tool.name')).toBe('send');
    expect([attribute(tool, 'mcp.method.name'), attribute(tool, 'network.transport')]).toEqual(['tools/call', 'pipe']);
    for (const one of [produced, received, acked]) expect(one && attribute(one, 'messaging.message.id')).toBe(messageId);
    const refused = receiver.spans.find((one) => one.status?.code === 2);
    expect(refused && attribute(refused, 'error.type')).toBe('not_found');
    expect(JSON.stringify(receiver.spans)).not.toContain('a secret body');
    for (const { startTimeUnixNano, endTimeUnixNano } of receiver.spans)
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
    await eventually(() => (receiver.metrics.has('mcp.server.operation.duration') ? true : undefined));
    // What all processes share is told by the one that serves, so that sums over processes are right.
    expect(receiver.metrics.has('hub.messages.accepted')).toBe(false);
  });

  it('follow a task from its creation to its review, with the ids that its export has', async () => {
    const [home, receiver] = [freshHome(), await receiveOtlp()];
    const [ada, bob, cleo] = [
      await agent(home, 'ada', otlp(receiver)),
      await agent(home, 'bob', otlp(receiver)),
      await agent(home, 'cleo', otlp(receiver)),
    ];
    for (const one of [bob, cleo]) await call(one, 'whoami');
    const made = await call(ada, 'create_task', { title: 'one', reviewers: ['cleo'] });
    const claimed = await call(bob, 'claim_task', { task_id: made.task_id });
    await call(bob, 'complete_task', { task_id: made.task_id, fencing_token: claimed.fencing_token, result: 'done' });
    await call(cleo, 'submit_review', { task_id: made.task_id, revision: 1, verdict: 'PASS' });
    const task = await call(ada, 'get_task', { task_id: made.task_id });
    const traceId = String(task.traceparent).split('-')[1] ?? '';
    await eventually(() => receiver.spans.find((one) => one.name === 'task.completed'));
    const history = task.history as { span: string; act: string; version: number }[];
    const spans = receiver.spans.filter((one) => one.traceId === traceId);
    for (const { span, act } of history) expect(spans.find((one) => one.spanId === span)?.name).toBe(`task.${act}`);
    expect(history.map(({ act }) => act)).toEqual(['created', 'claimed', 'submitted_for_review', 'completed']);
    const review = spans.find((one) => one.name === 'task.review');
    expect([review && attribute(review, 'task.verdict'), review?.parentSpanId]).toEqual(['PASS', history[2]?.span]);
    expect(new Set(spans.map(({ pid }) => pid)).size).toBe(3);
    // One tree: every span but the first has its parent in the same trace.
    const known = new Set(spans.map(({ spanId }) => spanId));
    expect(spans.filter(({ parentSpanId = '' }) => parentSpanId !== '' && !known.has(parentSpanId)).map(({ name }) => name)).toEqual([]);
  });

  it('go out as protobuf by default, and not at all where nobody is named to take them', async () => {
    const [home, receiver] = [freshHome(), await receiveOtlp()];
    const silent = await agent(home, 'ada', otlp(receiver, { OTEL_SDK_DISABLED: 'true' }));
    await call(silent, 'whoami');
    await silent.close();
    expect(receiver.requests).toEqual([]);
    const bob = await agent(home, 'bob', otlp(receiver, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_METRICS_EXPORTER: 'none' }));
    await call(bob, 'whoami');
    await bob.close();
    const sent = await eventually(() => receiver.requests[0]);
    expect([sent.path, sent.type]).toEqual(['/v1/traces', 'application/x-protobuf']);
    expect(sent.body.toString('latin1')).toContain('tools/call whoami');
  });
});
