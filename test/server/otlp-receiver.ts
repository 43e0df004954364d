// A receiver of OTLP over HTTP, as far as tests need one: it takes what a process sends, and answers what came.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { cleanup } from '../support/engines.ts';

type Attribute = { key: string; value: { stringValue?: string; intValue?: string | number } };
export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
  /** Of the process that sent it. */
  pid: string;
};

export type Receiver = {
  url: string;
  spans: ReceivedSpan[];
  /** Names of metrics that came. */
  metrics: Set<string>;
  requests: { path: string; type: string; body: Buffer }[];
};

export async function receiveOtlp(): Promise<Receiver> {
  const receiver: Receiver = { url: '', spans: [], metrics: new Set(), requests: [] };
  const server = createServer((request, response) => {
    void take(receiver, request).then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return receiver;
}

export function attribute(span: ReceivedSpan, key: string): string | undefined {
  const value = span.attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : String(value.intValue));
}

async function take(receiver: Receiver, request: IncomingMessage): Promise<void> {
  const body = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  receiver.requests.push({ path: request.url ?? '', type, body });
  if (type !== 'application/json') return;
  const sent = JSON.parse(body.toString()) as {
    resourceSpans?: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Omit<ReceivedSpan, 'pid'>[] }[] }[];
    resourceMetrics?: { scopeMetrics: { metrics: { name: string }[] }[] }[];
  };
  for (const { resource, scopeSpans } of sent.resourceSpans ?? []) {
    const pid = resource.attributes.find(({ key }) => key === 'process.pid')?.value;
    for (const { spans } of scopeSpans)
      receiver.spans.push(...spans.map((span) => ({ ...span, pid: String(pid?.intValue ?? pid?.stringValue ?? '') })));
  }
  for (const { scopeMetrics } of sent.resourceMetrics ?? [])
    for (const { metrics } of scopeMetrics) for (const { name } of metrics) receiver.metrics.add(name);
}
