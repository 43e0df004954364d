// What reports on turns, tools and calls count. Sums and percentiles are made by the database; days are those of UTC. Rows that retention took
// are counted by the sums of their days (days.ts), of each day that began in the window: a row is in one of the two, never in both.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read } from './db.ts';
import type { TurnSums } from './turns.ts';

const DAY_MS = 86_400_000;

/** Turns of one agent with one model on one day. `untold`: those whose transcript told no tokens. */
export type TurnGroup = TurnSums & { agentId: string; model: string; dayAt: number; untold: number };

/** What turns came to that ended since then, by agent, model and day. */
export async function turnGroups(read: Read, projectId: string, since: number): Promise<TurnGroup[]> {
  const rows = await read.all(
    `SELECT agent_id, model, ended_at / ${DAY_MS} AS day, COUNT(*) AS turns, SUM(ended_at - started_at) AS duration,
       SUM(CASE WHEN input_tokens IS NULL THEN 1 ELSE 0 END) AS untold, SUM(COALESCE(input_tokens, 0)) AS input,
       SUM(COALESCE(output_tokens, 0)) AS output, SUM(COALESCE(cache_read_tokens, 0)) AS cache_read,
       SUM(COALESCE(cache_write_tokens, 0)) AS cache_write, SUM(tool_calls) AS tools
     FROM turns WHERE project_id = ? AND ended_at >= ? GROUP BY agent_id, model, ended_at / ${DAY_MS}
     UNION ALL
     SELECT agent_id, model, day, SUM(turns), SUM(duration_ms), 0, SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens),
       SUM(cache_write_tokens), SUM(tool_calls)
     FROM turn_days WHERE project_id = ? AND day >= ? GROUP BY agent_id, model, day`,
    ...[projectId, since, projectId, firstDay(since)],
  );
  return rows.map((row) => ({
    agentId: toText(row, 'agent_id'),
    model: toText(row, 'model'),
    dayAt: toInt(row, 'day') * DAY_MS,
    turns: toInt(row, 'turns'),
    untold: toInt(row, 'untold'),
    durationMs: toInt(row, 'duration'),
    inputTokens: toInt(row, 'input'),
    outputTokens: toInt(row, 'output'),
    cacheReadTokens: toInt(row, 'cache_read'),
    cacheWriteTokens: toInt(row, 'cache_write'),
    toolCalls: toInt(row, 'tools'),
  }));
}

/** How often the models used which tools of their clients, as JSON of names and counts, with how many turns said the same. */
export async function turnTools(
  read: Read,
  projectId: string,
  agentId: string | null,
  since: number,
): Promise<{ tools: string; turns: number }[]> {
  const rows = await read.all(
    `SELECT tools, COUNT(*) AS n FROM turns WHERE project_id = ? AND ended_at >= ? AND agent_id = COALESCE(?, agent_id) GROUP BY tools`,
    projectId,
    since,
    agentId,
  );
  return rows.map((row) => ({ tools: toText(row, 'tools'), turns: toInt(row, 'n') }));
}

/** Calls of one tool of the hub that ended alike. */
export type CallGroup = { tool: string; code: string; calls: number; inputBytes: number; outputBytes: number };

export async function callGroups(read: Read, projectId: string, agentId: string | null, since: number): Promise<CallGroup[]> {
  const rows = await read.all(
    `SELECT tool, code, SUM(n) AS n, SUM(input) AS input, SUM(output) AS output FROM (
       SELECT tool, code, COUNT(*) AS n, SUM(input_bytes) AS input, SUM(output_bytes) AS output FROM tool_calls
       WHERE project_id = ? AND started_at >= ? AND agent_id = COALESCE(?, agent_id) GROUP BY tool, code
       UNION ALL
       SELECT tool, code, SUM(calls), SUM(input_bytes), SUM(output_bytes) FROM call_days
       WHERE project_id = ? AND day >= ? AND agent_id = COALESCE(?, agent_id) GROUP BY tool, code
     ) AS counted GROUP BY tool, code`,
    ...[projectId, since, agentId, projectId, firstDay(since), agentId],
  );
  return rows.map((row) => ({
    tool: toText(row, 'tool'),
    code: toText(row, 'code'),
    calls: toInt(row, 'n'),
    inputBytes: toInt(row, 'input'),
    outputBytes: toInt(row, 'output'),
  }));
}

/** Calls of each agent, and how many of them were refused. */
export async function callsByAgent(
  read: Read,
  projectId: string,
  since: number,
): Promise<{ agentId: string; calls: number; refused: number }[]> {
  const rows = await read.all(
    `SELECT agent_id, SUM(n) AS n, SUM(refused) AS refused FROM (
       SELECT agent_id, COUNT(*) AS n, SUM(CASE WHEN code = 'ok' THEN 0 ELSE 1 END) AS refused FROM tool_calls
       WHERE project_id = ? AND started_at >= ? GROUP BY agent_id
       UNION ALL
       SELECT agent_id, SUM(calls), SUM(CASE WHEN code = 'ok' THEN 0 ELSE calls END) FROM call_days
       WHERE project_id = ? AND day >= ? GROUP BY agent_id
     ) AS counted GROUP BY agent_id`,
    ...[projectId, since, projectId, firstDay(since)],
  );
  return rows.map((row) => ({ agentId: toText(row, 'agent_id'), calls: toInt(row, 'n'), refused: toInt(row, 'refused') }));
}

/** How often the guard kept each agent's model from using a tool. */
export async function heldBackByAgent(read: Read, projectId: string, since: number): Promise<{ agentId: string; uses: number }[]> {
  const rows = await read.all(
    `SELECT agent_id, SUM(n) AS n FROM (
       SELECT agent_id, COUNT(*) AS n FROM tool_uses WHERE project_id = ? AND started_at >= ? AND outcome = 'refused' GROUP BY agent_id
       UNION ALL
       SELECT agent_id, SUM(uses) FROM tool_use_days WHERE project_id = ? AND day >= ? AND outcome = 'refused' GROUP BY agent_id
     ) AS counted GROUP BY agent_id`,
    ...[projectId, since, projectId, firstDay(since)],
  );
  return rows.map((row) => ({ agentId: toText(row, 'agent_id'), uses: toInt(row, 'n') }));
}

/** Half of the values were not above `p50`, nineteen of twenty not above `p95`. */
export type Spread = { key: string; p50: number | null; p95: number | null; longest: number | null };

/** How long the calls of each tool took, milliseconds. */
export async function callSpread(read: Read, projectId: string, agentId: string | null, since: number): Promise<Spread[]> {
  return await spread(
    read,
    'SELECT tool AS k, duration_ms AS v FROM tool_calls WHERE project_id = ? AND started_at >= ? AND agent_id = COALESCE(?, agent_id)',
    projectId,
    since,
    agentId,
  );
}

/** Percentiles of `v` for each `k` of a statement. */
export async function spread(read: Read, statement: string, ...args: (string | number | null)[]): Promise<Spread[]> {
  const rows = await read.all(
    `SELECT k, MAX(CASE WHEN place = (n * 50 + 99) / 100 THEN v END) AS p50, MAX(CASE WHEN place = (n * 95 + 99) / 100 THEN v END) AS p95,
       MAX(v) AS longest
     FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS place, COUNT(*) OVER (PARTITION BY k) AS n
       FROM (${statement}) AS measured) AS ranked
     GROUP BY k`,
    ...args,
  );
  return rows.map((row) => ({
    key: toText(row, 'k'),
    p50: toIntOrNull(row, 'p50'),
    p95: toIntOrNull(row, 'p95'),
    longest: toIntOrNull(row, 'longest'),
  }));
}

function firstDay(since: number): number {
  return Math.ceil(since / DAY_MS);
}
