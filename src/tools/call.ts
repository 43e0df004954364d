// The one way a tool is called, whatever the front door: validate, identify, authorise, run, summarise the inbox, record.
// It is the single point of enforcement: MCP over stdio and HTTP, the HTTP API and the command line all pass here (T-11).

import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { assertOversees, type Caller } from '../hub/caller.ts';
import { type ErrorAnswer, HubError, isHubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Connection } from './connection.ts';
import type { Tool } from './tool.ts';

export type Reply = { ok: true; result: Record<string, unknown>; text: string } | { ok: false; error: ErrorAnswer; text: string };

export type CallContext = {
  signal?: AbortSignal | undefined;
  /** The W3C trace that the call belongs to, where its client tells one. */
  traceparent?: string | undefined;
  /** Told of defects: what is shown to the caller carries only the reference. */
  onDefect?: ((reference: string, error: unknown) => void) | undefined;
};

/** Calls a tool. Never throws: every outcome is an answer. */
export async function callTool(hub: Hub, connection: Connection, tool: Tool, given: unknown, context: CallContext = {}): Promise<Reply> {
  const startedAt = hub.context.time.now();
  const since = hub.context.clock.monotonic();
  const reply = await hub.calls.track(answer(hub, connection, tool, given, context));
  const caller = connection.current;
  if (caller !== undefined) {
    hub.calls.record({
      projectId: caller.projectId,
      agentId: caller.agentId,
      sessionId: caller.sessionId,
      tool: tool.name,
      door: caller.door,
      startedAt,
      durationMs: Math.round(hub.context.clock.monotonic() - since),
      code: reply.ok ? 'ok' : reply.error.code,
      inputBytes: sizeOf(given),
      outputBytes: Buffer.byteLength(reply.text),
    });
  }
  return reply;
}

async function answer(hub: Hub, connection: Connection, tool: Tool, given: unknown, context: CallContext): Promise<Reply> {
  try {
    const { idempotency_key: key, as, ...args } = parse(tool, given);
    const own = tool.identifies ? await connection.callerUnlessRefused() : await connection.caller();
    const caller = own !== undefined && typeof as === 'string' ? await hub.sessions.actingAs(own, as) : own;
    if (caller !== undefined) hub.leases.heardOf(caller.agentId);
    if (caller !== undefined && tool.overseers) assertOversees(caller, `call ${tool.name}`);
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
    const result = { ...output, inbox: await inboxOf(hub, tool.identifies ? (connection.current ?? caller) : caller) };
    return { ok: true, result, text: JSON.stringify(result) };
  } catch (error) {
    const shown = toAnswer(error, context);
    return { ok: false, error: shown, text: JSON.stringify(shown) };
  }
}

/** The arguments as the tool's schema has them; an error names the field, what is wrong with it, and what it should be. */
function parse(tool: Tool, given: unknown): Record<string, unknown> {
  const parsed = tool.input.safeParse(given ?? {});
  if (parsed.success) {
    assertNoNul(parsed.data);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw new HubError('invalid_input', issue === undefined ? 'The arguments do not fit.' : describe(issue), {
    hint: `${tool.name} takes: ${fieldsOf(tool)}.`,
  });
}

/** Not every engine stores a NUL, and nobody writes one on purpose. */
function assertNoNul(args: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(args)) {
    if (![value].flat().some((text) => typeof text === 'string' && text.includes('\0'))) continue;
    throw new HubError('invalid_input', `${field}: it holds a NUL character.`, { hint: 'Leave it out.' });
  }
}

/** The fields by name, the required ones marked. */
function fieldsOf(tool: Tool): string {
  const fields = Object.entries(tool.input.shape).map(([name, schema]) => (schema instanceof z.ZodOptional ? name : `${name} (required)`));
  return fields.join(', ') || 'nothing';
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const identity = ['from', 'sender', 'agent', 'agent_name', 'my_name', 'role'].includes(key)
      ? ' Who you are comes from your session, never from an argument.'
      : '';
    return `${key.slice(0, 48)}: unknown field.${identity}`;
  }
  const field = issue.path.join('.') || 'arguments';
  if (issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message))
    return `${field}: is required.`;
  return `${field}: ${issue.message}.`;
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
  if (error instanceof z.ZodError)
    return new HubError('invalid_input', error.issues.map(describe)[0] ?? 'The arguments do not fit.').toAnswer();
  const reference = randomBytes(4).toString('hex');
  context.onDefect?.(reference, error);
  return new HubError('internal', `Internal error, reference ${reference}; nothing was changed.`, {
    hint: 'Retry once with the same idempotency_key; the reference stands in the hub’s log.',
  }).toAnswer();
}
