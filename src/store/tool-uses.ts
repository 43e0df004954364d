// Rows of `tool_uses`: one per use of a tool by a client's model. An open one is a tool in flight. Names and digests, never arguments.

import { toInt, toIntOrNull, toText, toTextOrNull } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type ToolOutcome = 'ok' | 'failed' | 'refused' | 'lost';

export type ToolUseRow = {
  sessionId: string;
  toolUseId: string;
  projectId: string;
  agentId: string;
  /** The sub-agent of the session that used it; empty: the agent itself. */
  subAgent: string;
  tool: string;
  argsDigest: string;
  startedAt: number;
  endedAt: number | null;
  durationMs: number | null;
  /** `lost`: nobody told of its end. */
  outcome: string | null;
  /** Why it was refused. */
  reason: string | null;
};

const toToolUse = (row: Row): ToolUseRow => ({
  sessionId: toText(row, 'session_id'),
  toolUseId: toText(row, 'tool_use_id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  subAgent: toText(row, 'sub_agent'),
  tool: toText(row, 'tool'),
  argsDigest: toText(row, 'args_digest'),
  startedAt: toInt(row, 'started_at'),
  endedAt: toIntOrNull(row, 'ended_at'),
  durationMs: toIntOrNull(row, 'duration_ms'),
  outcome: toTextOrNull(row, 'outcome'),
  reason: toTextOrNull(row, 'reason'),
});

/** Records a use unless it is known: the word of its end may have come before the word of its start. */
export async function insertToolUse(tx: Tx, use: ToolUseRow): Promise<boolean> {
  const changes = await tx.run(
    `INSERT INTO tool_uses (session_id, tool_use_id, project_id, agent_id, sub_agent, tool, args_digest, started_at, ended_at, duration_ms, outcome, reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id, tool_use_id) DO NOTHING`,
    use.sessionId,
    use.toolUseId,
    use.projectId,
    use.agentId,
    use.subAgent,
    use.tool,
    use.argsDigest,
    use.startedAt,
    use.endedAt,
    use.durationMs,
    use.outcome,
    use.reason,
  );
  return changes === 1;
}

/** Notes the end of a use: of an open one, or of one that was given up. Without `durationMs` it lasted from its start until `endedAt`. */
export async function endToolUse(
  tx: Tx,
  sessionId: string,
  toolUseId: string,
  end: { endedAt: number; durationMs: number | null; outcome: ToolOutcome },
): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE tool_uses SET ended_at = ?, outcome = ?, duration_ms = COALESCE(CAST(? AS BIGINT), CASE WHEN started_at < ? THEN ? - started_at ELSE 0 END)
     WHERE session_id = ? AND tool_use_id = ? AND (outcome IS NULL OR outcome = 'lost')`,
    end.endedAt,
    end.outcome,
    end.durationMs,
    end.endedAt,
    end.endedAt,
    sessionId,
    toolUseId,
  );
  return changes === 1;
}

/** The exact duration of a use, which may be told after its end was seen otherwise. */
export async function setToolDuration(tx: Tx, sessionId: string, toolUseId: string, durationMs: number): Promise<void> {
  await tx.run('UPDATE tool_uses SET duration_ms = ? WHERE session_id = ? AND tool_use_id = ?', durationMs, sessionId, toolUseId);
}

/** How many tools of a session are in flight that began since then. */
export async function countInFlight(read: Read, sessionId: string, since: number): Promise<number> {
  const row = await read.get(
    'SELECT COUNT(*) AS n FROM tool_uses WHERE session_id = ? AND ended_at IS NULL AND started_at >= ?',
    sessionId,
    since,
  );
  return row === undefined ? 0 : toInt(row, 'n');
}

/** Gives up the open uses of a session, or of one of its sub-agents: nobody will tell of their end. Answers how many there were. */
export async function giveUpToolUses(tx: Tx, sessionId: string, now: number, subAgent: string | null = null): Promise<number> {
  return await tx.run(
    `UPDATE tool_uses SET ended_at = ?, outcome = 'lost' WHERE session_id = ? AND ended_at IS NULL AND (CAST(? AS TEXT) IS NULL OR sub_agent = ?)`,
    now,
    sessionId,
    subAgent,
    subAgent,
  );
}

/** Gives up, whoever's they are, open uses that began before then. */
export async function giveUpToolUsesBefore(tx: Tx, before: number, now: number): Promise<number> {
  return await tx.run(`UPDATE tool_uses SET ended_at = ?, outcome = 'lost' WHERE started_at < ? AND ended_at IS NULL`, now, before);
}

/** How often which tool was used in a session since then. */
export async function countTools(read: Read, sessionId: string, since: number): Promise<Record<string, number>> {
  const rows = await read.all(
    'SELECT tool, COUNT(*) AS n FROM tool_uses WHERE session_id = ? AND started_at >= ? GROUP BY tool ORDER BY tool',
    sessionId,
    since,
  );
  return Object.fromEntries(rows.map((row) => [toText(row, 'tool'), toInt(row, 'n')]));
}

/** The uses of an agent, the newest first. */
export async function listToolUses(read: Read, agentId: string, limit: number): Promise<ToolUseRow[]> {
  return (await read.all('SELECT * FROM tool_uses WHERE agent_id = ? ORDER BY started_at DESC LIMIT ?', agentId, limit)).map(toToolUse);
}

/** What an agent's client was kept from using since then, the newest first. */
export async function refusedToolUses(read: Read, agentId: string, since: number, limit: number): Promise<ToolUseRow[]> {
  const rows = await read.all(
    `SELECT * FROM tool_uses WHERE agent_id = ? AND started_at >= ? AND outcome = 'refused' ORDER BY started_at DESC LIMIT ?`,
    agentId,
    since,
    limit,
  );
  return rows.map(toToolUse);
}

/** The same of all agents of a project. */
export async function refusedToolUsesIn(read: Read, projectId: string, limit: number): Promise<(ToolUseRow & { agent: string })[]> {
  const rows = await read.all(
    `SELECT u.*, a.name AS agent FROM tool_uses u JOIN agents a ON a.id = u.agent_id
     WHERE u.project_id = ? AND u.outcome = 'refused' ORDER BY u.started_at DESC, u.tool_use_id LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map((row) => ({ ...toToolUse(row), agent: toText(row, 'agent') }));
}
