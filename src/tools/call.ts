// The one way a tool is called, whatever the front door: validate, identify, authorise, run, summarise the inbox, record.
// It is the single point of enforcement: MCP over stdio and HTTP, the HTTP API and the command line all pass here (T-11).

import { randomBytes } from 'node:crypto';
import { assertOversees, authorityOf, type Caller } from '../hub/caller.ts';
import { type ErrorAnswer, HubError, isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { isQuarantined } from '../hub/quarantine.ts';
import { ALWAYS, isOff } from '../hub/tools-off.ts';
import { type CallScope, withinCall } from '../hub/trace.ts';
import type { Callable } from './callable.ts';
import type { Connection } from './connection.ts';

import { beginSpan, measureCall, tellSlow } from './measure.ts';

export type Reply = { ok: true; result: Record<string, unknown>; text: string } | { ok: false; error: ErrorAnswer; text: string };

export type CallContext = {
  signal?: AbortSignal | undefined;
  /** The W3C trace that the call belongs to, where its client tells one. */
  traceparent?: string | undefined;
  /** Told of defects: what is shown to the caller carries only the reference. */
  onDefect?: ((reference: string, error: unknown) => void) | undefined;
  /** What its client calls the request, and its session. */
  requestId?: string | number | undefined;
  mcpSessionId?: string | undefined;
};

/** Calls a tool. Never throws: every outcome is an answer. */
export async function callTool(
  hub: Hub,
  connection: Connection,
  tool: Callable,
  given: unknown,
  context: CallContext = {},
): Promise<Reply> {
  const startedAt = hub.context.time.now();
  const since = hub.context.clock.monotonic();
  const { telemetry } = hub.context;
  const span = beginSpan(telemetry, tool.name, context);
  const scope: CallScope = { traceparent: span?.traceparent ?? context.traceparent, waitedMs: 0 };
  const reply = await hub.calls.track(withinCall(scope, () => answer(hub, connection, tool, given, context)));
  const caller = connection.current;
  const ms = hub.context.clock.monotonic() - since;
  tellSlow(hub.context, tool.name, ms - scope.waitedMs);
  measureCall(telemetry, { tool: tool.name, door: caller?.door, ms, waitedMs: scope.waitedMs, span }, reply);
  if (caller !== undefined && !tool.unlisted) {
    hub.calls.record({
      projectId: caller.projectId,
      agentId: caller.agentId,
      sessionId: caller.sessionId,
      tool: tool.name,
      door: caller.door,
      startedAt,
      durationMs: Math.round(ms),
      code: reply.ok ? 'ok' : reply.error.code,
      inputBytes: sizeOf(given),
      outputBytes: Buffer.byteLength(reply.text),
    });
  }
  return reply;
}

async function answer(hub: Hub, connection: Connection, tool: Callable, given: unknown, context: CallContext): Promise<Reply> {
  let speaker: string | undefined;
  try {
    const { idempotency_key: key, as, ...args } = tool.parse(given);
    await hub.policies.refresh();
    const own = tool.identifies ? await connection.callerUnlessRefused() : await connection.caller();
    const caller = own !== undefined && typeof as === 'string' ? await hub.sessions.actingAs(own, as) : own;
    speaker = caller?.agentId;
    if (caller !== undefined && tool.overseers) assertOversees(caller, `call ${tool.name}`);
    // Hooks are not the model's: what they guard must be guarded all the more.
    if (caller !== undefined && !ALWAYS.includes(tool.name) && !tool.unlisted) assertAllowed(hub, caller, tool.name);
    if (tool.unlisted && caller?.door === 'http') throw onlyHere(tool.name);
    const call = {
      hub,
      connection,
      args,
      signal: context.signal,
      traceparent: context.traceparent,
      key: typeof key === 'string' ? key : undefined,
      get caller(): Caller {
        if (caller === undefined) throw new Error(`${tool.name} was called before anybody was identified`);
        return caller;
      },
    };
    const output = await tool.run(call, args);
    if (speaker !== undefined) hub.leases.heardOf(speaker);
    // A hook's answer is read by its client, which knows its own fields only.
    if (tool.unlisted) return { ok: true, result: output, text: JSON.stringify(output) };
    const result = { ...output, inbox: await inboxOf(hub, tool.identifies ? (connection.current ?? caller) : caller) };
    return { ok: true, result, text: JSON.stringify(result) };
  } catch (error) {
    const shown = toAnswer(error, context);
    // A refused call is a sign of life, too; but not that of a session which no longer is this agent.
    if (speaker !== undefined && shown.code !== 'stale_session') hub.leases.heardOf(speaker);
    return { ok: false, error: shown, text: JSON.stringify(shown) };
  }
}

/** What the operator has switched off for an agent stays off, whatever its client shows it. */
function assertAllowed(hub: Hub, caller: Caller, tool: string): void {
  if (authorityOf(caller.role) === 'operator') return;
  if (isQuarantined(hub.context, { ...caller, id: caller.agentId })) {
    throw new HubError('forbidden', `${caller.name} is in quarantine: the operator holds every call back; nothing was done.`, {
      hint: 'Stop, and wait for the person who runs the hub.',
    });
  }
  if (!isOff(hub.context, caller, tool)) return;
  throw new HubError('forbidden', `The operator has switched off ${tool} for ${caller.name}; nothing was done.`, {
    hint: 'Do without it, or ask the operator.',
  });
}

/** Hooks tell of files and processes of the machine they run on. */
function onlyHere(tool: string): HubError {
  return new HubError('forbidden', `${tool} is called by the hooks of clients on the hub’s own machine only.`, {
    hint: 'Use the tools that tools/list shows.',
  });
}

/** The size of the arguments as JSON; 0 when they are nested too deeply to be written again (T19). */
function sizeOf(given: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(given) ?? '');
  } catch {
    return 0;
  }
}

async function inboxOf(hub: Hub, caller: Caller | undefined): Promise<{ unread: number; urgent: number; owed: number }> {
  if (caller === undefined) return { unread: 0, urgent: 0, owed: 0 };
  const { unread, urgent, leased, unreplied } = await hub.inbox.counts(caller);
  return { unread, urgent, owed: leased + unreplied };
}

/** What a caller is shown of any error: a HubError as it is, anything else as a reference to the log. */
export function toAnswer(error: unknown, context: Pick<CallContext, 'onDefect'> = {}): ErrorAnswer {
  if (isHubError(error)) return error.toAnswer();
  const reference = randomBytes(4).toString('hex');
  context.onDefect?.(reference, error);
  return new HubError('internal', `Internal error, reference ${reference}; nothing was changed.`, {
    hint: 'Retry once with the same idempotency_key; the reference stands in the hub’s log.',
  }).toAnswer();
}
