// Codex's transcript (its rollout file), as 0.169.0 writes it: {timestamp, type, payload} lines. A turn has a name, a beginning and an end of its
// own, and its tokens are counted per turn; the line of its end comes after its Stop hook.

import type { TranscriptFacts, TranscriptQuery, TurnFacts } from '../hub/surroundings.ts';
import { countAt, countOne, instantAt, type Line, objectAt, textAt } from './transcript-lines.ts';

/** Lines that are read at all; the others (world states, settings) can be large. */
export const CODEX_LINES =
  /"type": ?"(task_started|task_complete|turn_aborted|turn_context|token_usage_record|token_count|function_call|function_call_output|custom_tool_call|custom_tool_call_output|local_shell_call|message)"/;

const FILES = 100;
const CALLS = ['function_call', 'custom_tool_call', 'local_shell_call'];
const OUTPUTS = ['function_call_output', 'custom_tool_call_output'];
const PATCHED = /^\*\*\* (?:Add|Update|Delete) File: (.+)$/gm;

export function readCodex(lines: readonly Line[], query: TranscriptQuery): TranscriptFacts {
  const events = lines.map(({ text, entry }) => ({ text, at: instantAt(entry, 'timestamp'), ...eventOf(entry) }));
  return {
    turn: turnOf(events, query),
    proven: query.receipts.filter((receipt) => isProven(events, receipt, query.lastWords !== null)),
    contextPercent: contextPercent(events),
    filesModified: filesModified(events),
  };
}

type Event = { text: string; at: number | null; kind: string; payload: Record<string, unknown> };

/** Events and items say what they are inside, everything else outside. */
function eventOf(entry: Record<string, unknown>): Pick<Event, 'kind' | 'payload'> {
  const payload = objectAt(entry, 'payload');
  const type = textAt(entry, 'type');
  return { kind: type === 'event_msg' || type === 'response_item' ? textAt(payload, 'type') : type, payload };
}

function turnOf(events: readonly Event[], { turnKey, since }: TranscriptQuery): TurnFacts | null {
  const isStart = ({ kind, payload, at }: Event) =>
    kind === 'task_started' && (turnKey === null ? since === null || (at ?? 0) >= since - 1_000 : payload.turn_id === turnKey);
  const start = turnKey === null && since === null ? events.findLastIndex(isStart) : events.findIndex(isStart);
  const first = events[start];
  if (first === undefined) return null;
  const facts: TurnFacts = {
    ...{ startedAt: first.at, ended: 'open', model: '' },
    ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, tools: {} },
  };
  const turn = textAt(first.payload, 'turn_id');
  for (const { kind, payload } of events.slice(start + 1)) {
    if (kind === 'task_started') break;
    if (kind === 'turn_context') facts.model = textAt(payload, 'model') || facts.model;
    if (kind === 'token_usage_record' && payload.turn_id === turn) addUsage(facts, objectAt(payload, 'usage'));
    if (CALLS.includes(kind)) countOne(facts.tools, nameOf(kind, payload));
    if (kind === 'task_complete') facts.ended = 'completed';
    if (kind === 'turn_aborted') facts.ended = 'interrupted';
  }
  return facts;
}

/** Input tokens are told with the cached ones among them. */
function addUsage(facts: TurnFacts, usage: Record<string, unknown>): void {
  const cached = countAt(usage, 'cached_input_tokens');
  const written = countAt(usage, 'cache_write_input_tokens');
  facts.inputTokens += Math.max(0, countAt(usage, 'input_tokens') - cached - written);
  facts.outputTokens += countAt(usage, 'output_tokens');
  facts.cacheReadTokens += cached;
  facts.cacheWriteTokens += written;
}

function nameOf(kind: string, payload: Record<string, unknown>): string {
  const namespace = textAt(payload, 'namespace');
  const name = textAt(payload, 'name') || kind;
  return namespace === '' ? name : `${namespace}__${name}`;
}

function isProven(events: readonly Event[], receipt: string, hasStopped: boolean): boolean {
  const shown = events.findLastIndex(({ kind, text }) => OUTPUTS.includes(kind) && text.includes(receipt));
  if (shown < 0) return false;
  const wentOn = ({ kind, payload }: Event) => CALLS.includes(kind) || (kind === 'message' && payload.role === 'assistant');
  return hasStopped || events.slice(shown + 1).some(wentOn);
}

function contextPercent(events: readonly Event[]): number | null {
  const info = objectAt(events.findLast(({ kind }) => kind === 'token_count')?.payload ?? {}, 'info');
  const window = countAt(info, 'model_context_window');
  return window === 0 ? null : Math.round((100 * countAt(objectAt(info, 'last_token_usage'), 'total_tokens')) / window);
}

function filesModified(events: readonly Event[]): string[] {
  const patches = events.filter(({ kind }) => CALLS.includes(kind)).map(({ payload }) => textAt(payload, 'input') || unquoted(payload));
  const files = patches.flatMap((patch) => [...patch.matchAll(PATCHED)].map((match) => match[1]?.trim() ?? ''));
  return [...new Set(files.reverse())].filter((file) => file !== '').slice(0, FILES);
}

/** A patch may also come as an argument of a command, in which line breaks are escaped. */
function unquoted(payload: Record<string, unknown>): string {
  const given = textAt(payload, 'arguments');
  return given.includes('*** Begin Patch') ? given.replaceAll('\\n', '\n').replaceAll('\\"', '"') : '';
}
