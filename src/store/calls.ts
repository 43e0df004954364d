// Rows of `tool_calls`: which tool was called by whom, how long it took and how it ended. Diagnostics: sizes and codes, never bodies.

import { toInt, toText } from './columns.ts';
import type { Read, Tx } from './db.ts';

export type CallRow = {
  projectId: string;
  agentId: string;
  sessionId: string;
  tool: string;
  door: string;
  startedAt: number;
  durationMs: number;
  /** `ok` or an error code. */
  code: string;
  inputBytes: number;
  outputBytes: number;
};

export async function insertCall(tx: Tx, call: CallRow): Promise<void> {
  await tx.run(
    `INSERT INTO tool_calls (project_id, agent_id, session_id, tool, door, started_at, duration_ms, code, input_bytes, output_bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    call.projectId,
    call.agentId,
    call.sessionId,
    call.tool,
    call.door,
    call.startedAt,
    call.durationMs,
    call.code,
    call.inputBytes,
    call.outputBytes,
  );
}

export async function recentCalls(read: Read, projectId: string, limit: number): Promise<CallRow[]> {
  const rows = await read.all('SELECT * FROM tool_calls WHERE project_id = ? ORDER BY id DESC LIMIT ?', projectId, limit);
  return rows.map((row) => ({
    projectId: toText(row, 'project_id'),
    agentId: toText(row, 'agent_id'),
    sessionId: toText(row, 'session_id'),
    tool: toText(row, 'tool'),
    door: toText(row, 'door'),
    startedAt: toInt(row, 'started_at'),
    durationMs: toInt(row, 'duration_ms'),
    code: toText(row, 'code'),
    inputBytes: toInt(row, 'input_bytes'),
    outputBytes: toInt(row, 'output_bytes'),
  }));
}
