// The words of a client's hook, as Claude Code 2.1.329 and Codex 0.169.0 give them on standard input; mcp_tool hooks of Claude Code give every
// value as text. Nothing here is refused: what is missing or of another kind counts as not said, because a hook must not disturb its client.

import { CLIENT_KINDS, type ClientKind } from '../hub/surroundings.ts';
import type { ToolUse } from '../hub/tool-uses.ts';
import type { Moment } from '../hub/turns.ts';

export type HookWords = {
  event: string;
  client: ClientKind;
  moment: Moment;
  cwd: string;
  transcriptPath: string;
  /** Why a session began (SessionStart) or ended (SessionEnd), what compacts it (PreCompact), which notification it is. */
  source: string;
  reason: string;
  trigger: string;
  notification: string;
  /** The tool of the event, or all of a batch. */
  uses: (ToolUse & { outcome: 'ok' | 'failed' })[];
  durationMs: number | null;
  /** The kind and the beginning of the id of the sub-agent that the event is of; empty: the agent itself. */
  subAgent: string;
  stopHookActive: boolean;
  /** The model's last words, when it has stopped. */
  lastWords: string | null;
};

type Given = Record<string, unknown>;

/** Long enough for every id that clients make. */
const ID_CHARS = 200;
const SUB_AGENT_ID_CHARS = 8;
const PATH_CHARS = 4_096;

/** `at`: when the hook was called, epoch milliseconds; it may have waited since. */
export function readHookWords(given: unknown): HookWords {
  const said = toObject(given);
  const client = CLIENT_KINDS.find((kind) => kind === said.client) ?? (isCodex(said) ? 'codex' : 'claude');
  const event = textOf(said.hook_event_name) || textOf(said.event);
  const turnKey = idOf(said.prompt_id) || idOf(said.turn_id);
  const kind = idOf(said.agent_type);
  const subAgent = kind === '' ? '' : `${kind} ${idOf(said.agent_id).slice(0, SUB_AGENT_ID_CHARS)}`.trim();
  const cwd = textOf(said.cwd);
  const transcriptPath = textOf(said.transcript_path).replaceAll('\0', '').slice(0, PATH_CHARS);
  return {
    event,
    client,
    moment: {
      turnKey: turnKey === '' ? null : turnKey,
      at: numberOf(said.at) ?? Number.MAX_SAFE_INTEGER,
      transcript: transcriptPath === '' ? null : transcriptPath,
      ...(typeof said.prompt === 'string' ? { prompt: said.prompt } : {}),
    },
    cwd,
    transcriptPath,
    source: textOf(said.source),
    reason: textOf(said.reason),
    trigger: textOf(said.trigger),
    notification: textOf(said.notification_type),
    uses: usesOf(event === 'PostToolBatch' ? listOf(said.tool_calls) : [said], subAgent, cwd),
    durationMs: numberOf(said.duration_ms),
    subAgent,
    stopHookActive: said.stop_hook_active === true || said.stop_hook_active === 'true',
    lastWords: textOf(said.last_assistant_message) || null,
  };
}

/** Codex names its turns; its transcripts are rollouts. */
function isCodex(said: Given): boolean {
  return idOf(said.turn_id) !== '' || /[\\/]rollout-[^\\/]*$/.test(textOf(said.transcript_path));
}

function usesOf(calls: readonly unknown[], subAgent: string, cwd: string): HookWords['uses'] {
  return calls.flatMap((call) => {
    const said = toObject(call);
    const [id, tool] = [idOf(said.tool_use_id), idOf(said.tool_name)];
    if (id === '' || tool === '') return [];
    // A call that was denied has no response.
    const outcome = 'tool_response' in said || !('tool_input' in said) ? 'ok' : 'failed';
    return [{ id, tool, args: parsed(said.tool_input), cwd, subAgent, outcome }];
  });
}

function toObject(value: unknown): Given {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Given) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Storable: short, and without what one engine cannot store. */
function idOf(value: unknown): string {
  return textOf(value).replaceAll('\0', '').slice(0, ID_CHARS);
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? Math.round(number) : null;
}

function listOf(value: unknown): unknown[] {
  const list = parsed(value);
  return Array.isArray(list) ? list : [];
}

/** A value, or the value whose JSON text it is. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
