// What an agent is doing just now, on its session's row, and rows of `turns`: one per turn of a client's model, with what its transcript told.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const TURN_RESULTS = ['completed', 'failed', 'interrupted'] as const;
export type TurnResult = (typeof TURN_RESULTS)[number];

export type TurnRow = {
  id: string;
  projectId: string;
  agentId: string;
  sessionId: string;
  /** The client's own name for the turn. */
  turnKey: string | null;
  result: TurnResult;
  /** Which door woke the agent for it; null when a person or nobody known did. */
  wakeDoor: string | null;
  startedAt: number;
  endedAt: number;
  model: string;
  inputTokens: number | null;
  outputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  toolCalls: number;
  /** How often which tool was used. */
  tools: Record<string, number>;
};

const toTurn = (row: Row): TurnRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  sessionId: toText(row, 'session_id'),
  turnKey: toTextOrNull(row, 'turn_key'),
  result: toWord(row, 'result', TURN_RESULTS),
  wakeDoor: toTextOrNull(row, 'wake_door'),
  startedAt: toInt(row, 'started_at'),
  endedAt: toInt(row, 'ended_at'),
  model: toText(row, 'model'),
  inputTokens: toIntOrNull(row, 'input_tokens'),
  outputTokens: toIntOrNull(row, 'output_tokens'),
  cacheReadTokens: toIntOrNull(row, 'cache_read_tokens'),
  cacheWriteTokens: toIntOrNull(row, 'cache_write_tokens'),
  toolCalls: toInt(row, 'tool_calls'),
  tools: toCounts(toText(row, 'tools')),
});

function toCounts(text: string): Record<string, number> {
  const value: unknown = JSON.parse(text);
  if (value === null || typeof value !== 'object') return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

/** A hook of this session's client was heard. */
export async function markHooked(tx: Tx, sessionId: string, now: number): Promise<void> {
  await tx.run('UPDATE sessions SET hooked_at = ? WHERE id = ? AND ended_at IS NULL', now, sessionId);
}

export async function openTurn(
  tx: Tx,
  sessionId: string,
  turn: { startedAt: number; turnKey: string | null; door: string | null; transcript: string | null },
): Promise<void> {
  await tx.run(
    'UPDATE sessions SET turn_started_at = ?, turn_key = ?, turn_door = ?, transcript = ? WHERE id = ? AND ended_at IS NULL',
    turn.startedAt,
    turn.turnKey,
    turn.door,
    turn.transcript,
    sessionId,
  );
}

export async function closeTurn(tx: Tx, sessionId: string, endedAt: number): Promise<void> {
  await tx.run(
    'UPDATE sessions SET turn_started_at = NULL, turn_key = NULL, turn_door = NULL, turn_ended_at = ? WHERE id = ?',
    endedAt,
    sessionId,
  );
}

/** Sessions in which a turn is under way that began before then. */
export async function sessionsInTurn(read: Read, startedBefore: number, limit: number): Promise<string[]> {
  const rows = await read.all(
    'SELECT id FROM sessions WHERE turn_started_at IS NOT NULL AND turn_started_at < ? ORDER BY turn_started_at LIMIT ?',
    startedBefore,
    limit,
  );
  return rows.map((row) => toText(row, 'id'));
}

/** Writes the row of a turn; one that the client goes on with under the same name is written over, but begins when it began. */
export async function saveTurn(tx: Tx, turn: TurnRow): Promise<void> {
  await tx.run(
    `INSERT INTO turns (id, project_id, agent_id, session_id, turn_key, result, wake_door, started_at, ended_at, model,
       input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, tools)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_id, turn_key) WHERE turn_key IS NOT NULL DO UPDATE SET result = excluded.result, ended_at = excluded.ended_at,
       model = excluded.model, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
       cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
       tool_calls = excluded.tool_calls, tools = excluded.tools, wake_door = COALESCE(turns.wake_door, excluded.wake_door)`,
    turn.id,
    turn.projectId,
    turn.agentId,
    turn.sessionId,
    turn.turnKey,
    turn.result,
    turn.wakeDoor,
    turn.startedAt,
    turn.endedAt,
    turn.model,
    turn.inputTokens,
    turn.outputTokens,
    turn.cacheReadTokens,
    turn.cacheWriteTokens,
    turn.toolCalls,
    JSON.stringify(turn.tools),
  );
}

export async function findTurn(read: Read, sessionId: string, turnKey: string): Promise<TurnRow | undefined> {
  const row = await read.get('SELECT * FROM turns WHERE session_id = ? AND turn_key = ?', sessionId, turnKey);
  return row && toTurn(row);
}

/** The turns of an agent, or (null) of its project, that ended since then, the newest first. */
export async function listTurns(read: Read, projectId: string, agentId: string | null, since: number, limit: number): Promise<TurnRow[]> {
  const rows =
    agentId === null
      ? await read.all(
          'SELECT * FROM turns WHERE project_id = ? AND ended_at >= ? ORDER BY ended_at DESC, id DESC LIMIT ?',
          projectId,
          since,
          limit,
        )
      : await read.all(
          'SELECT * FROM turns WHERE agent_id = ? AND ended_at >= ? ORDER BY ended_at DESC, id DESC LIMIT ?',
          agentId,
          since,
          limit,
        );
  return rows.map(toTurn);
}

export type TurnSums = {
  turns: number;
  durationMs: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  toolCalls: number;
};

/** What the same turns come to. */
export async function sumTurns(read: Read, projectId: string, agentId: string | null, since: number): Promise<TurnSums> {
  const of = agentId === null ? 'project_id' : 'agent_id';
  const row = await read.get(
    `SELECT COUNT(*) AS turns, COALESCE(SUM(ended_at - started_at), 0) AS duration, COALESCE(SUM(input_tokens), 0) AS input,
       COALESCE(SUM(output_tokens), 0) AS output, COALESCE(SUM(cache_read_tokens), 0) AS cache_read,
       COALESCE(SUM(cache_write_tokens), 0) AS cache_write, COALESCE(SUM(tool_calls), 0) AS tools
     FROM turns WHERE ${of} = ? AND ended_at >= ?`,
    agentId ?? projectId,
    since,
  );
  if (row === undefined) throw new Error('counting returned no row');
  return {
    turns: toInt(row, 'turns'),
    durationMs: toInt(row, 'duration'),
    inputTokens: toInt(row, 'input'),
    outputTokens: toInt(row, 'output'),
    cacheReadTokens: toInt(row, 'cache_read'),
    cacheWriteTokens: toInt(row, 'cache_write'),
    toolCalls: toInt(row, 'tools'),
  };
}

/** What the turns of an agent since then came to, in tokens: read and not cached, or written. */
export async function tokensSince(read: Read, agentId: string, since: number): Promise<number> {
  const row = await read.get(
    `SELECT COALESCE(SUM(COALESCE(input_tokens, 0) + COALESCE(output_tokens, 0) + COALESCE(cache_write_tokens, 0)), 0) AS used
     FROM turns WHERE agent_id = ? AND ended_at >= ?`,
    agentId,
    since,
  );
  return row === undefined ? 0 : toInt(row, 'used');
}
