// What a tool call is as numbers and as a span: how long it took and how it ended, and for the three that carry messages, what they carried. Names
// are those of the semantic conventions for MCP and for messaging. Arguments and results are in neither.

import type { ErrorAnswer } from '../hub/errors.ts';
import type { SlowLog } from '../hub/slow-log.ts';
import { type CallSpan, seconds, type Telemetry } from '../hub/telemetry.ts';

export type Ended = { ok: true; result: Record<string, unknown> } | { ok: false; error: ErrorAnswer };

/** Tools that are operations of messaging, with the type that the conventions give them. */
const MESSAGING: Readonly<Record<string, string>> = { send: 'send', recv_batch: 'receive', ack: 'settle' };
const TRANSPORTS: Readonly<Record<string, string>> = { stdio: 'pipe', http: 'tcp' };

export type Told = { traceparent?: string | undefined; requestId?: string | number | undefined; mcpSessionId?: string | undefined };

/** The span of a call, as a server of MCP makes it. */
export function beginSpan(telemetry: Telemetry, tool: string, told: Told): CallSpan | undefined {
  if (!telemetry.traces) return undefined;
  return telemetry.call(`tools/call ${tool}`, told.traceparent, {
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    ...(told.requestId === undefined ? {} : { 'jsonrpc.request.id': String(told.requestId).slice(0, 64) }),
    ...(told.mcpSessionId === undefined ? {} : { 'mcp.session.id': told.mcpSessionId }),
  });
}

export type Measured = { tool: string; door: string | undefined; ms: number; waitedMs: number; span: CallSpan | undefined };

export function measureCall(telemetry: Telemetry, { tool, door, ms, waitedMs, span }: Measured, ended: Ended): void {
  const error = ended.ok ? undefined : ended.error.code;
  const failed = error === undefined ? {} : { 'error.type': error };
  const transport = TRANSPORTS[door ?? ''];
  const carried = transport === undefined ? {} : { 'network.transport': transport };
  telemetry.record('mcp.server.operation.duration', seconds(ms), {
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': tool,
    ...carried,
    ...failed,
  });
  span?.end({ ...carried, 'rookery.call.waited_ms': Math.round(waitedMs) }, error);
  const operation = { 'messaging.system': 'rookery', 'messaging.operation.name': tool };
  const type = MESSAGING[tool];
  if (type !== undefined)
    telemetry.record('messaging.client.operation.duration', seconds(ms), { ...operation, 'messaging.operation.type': type, ...failed });
  if (!ended.ok) countRefusal(telemetry, ended.error.code);
  else if (ended.result.replayed === true) telemetry.count('hub.idempotent_replays');
  else if (tool === 'send') telemetry.count('messaging.client.sent.messages', 1, operation);
  else if (tool === 'recv_batch' && Array.isArray(ended.result.messages) && ended.result.receipt !== null)
    telemetry.count('messaging.client.consumed.messages', ended.result.messages.length, operation);
}

function countRefusal(telemetry: Telemetry, code: string): void {
  if (code.startsWith('stale_')) telemetry.count('hub.stale_calls', 1, { kind: code.slice('stale_'.length) });
  if (code === 'rate_limited') telemetry.count('hub.rate_limited');
}

/** `ms`: without what it only waited. */
export function tellSlow({ slowLog, telemetry }: { slowLog: SlowLog; telemetry: Telemetry }, tool: string, ms: number): void {
  if (slowLog.callMs === null || ms < slowLog.callMs) return;
  slowLog.tell('call', tool, ms);
  telemetry.count('hub.slow', 1, { kind: 'call' });
}
