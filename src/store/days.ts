// Rows of `turn_days`, `call_days` and `tool_use_days`: what remains of rows that go, as sums by day. Written in the transaction that deletes the
// rows, so that a row is counted once: either itself, or in its day.

import type { Tx } from './db.ts';

const DAY_MS = 86_400_000;

/** Adds up the turns that ended up to then, and deletes them. Answers how many. */
export async function foldTurns(tx: Tx, upTo: number): Promise<number> {
  await tx.run(
    `INSERT INTO turn_days (project_id, agent_id, day, model, result, turns, duration_ms, input_tokens, output_tokens, cache_read_tokens,
       cache_write_tokens, tool_calls)
     SELECT project_id, agent_id, ended_at / ${DAY_MS}, model, result, COUNT(*), SUM(ended_at - started_at), SUM(COALESCE(input_tokens, 0)),
       SUM(COALESCE(output_tokens, 0)), SUM(COALESCE(cache_read_tokens, 0)), SUM(COALESCE(cache_write_tokens, 0)), SUM(tool_calls)
     FROM turns WHERE ended_at <= ? GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (project_id, day, agent_id, model, result) DO UPDATE SET turns = turn_days.turns + excluded.turns,
       duration_ms = turn_days.duration_ms + excluded.duration_ms, input_tokens = turn_days.input_tokens + excluded.input_tokens,
       output_tokens = turn_days.output_tokens + excluded.output_tokens,
       cache_read_tokens = turn_days.cache_read_tokens + excluded.cache_read_tokens,
       cache_write_tokens = turn_days.cache_write_tokens + excluded.cache_write_tokens, tool_calls = turn_days.tool_calls + excluded.tool_calls`,
    upTo,
  );
  return await tx.run('DELETE FROM turns WHERE ended_at <= ?', upTo);
}

/** The same for calls of tools, by when they began. */
export async function foldCalls(tx: Tx, upTo: number): Promise<number> {
  await tx.run(
    `INSERT INTO call_days (project_id, agent_id, day, tool, code, calls, duration_ms, longest_ms, input_bytes, output_bytes)
     SELECT project_id, agent_id, started_at / ${DAY_MS}, tool, code, COUNT(*), SUM(duration_ms), MAX(duration_ms), SUM(input_bytes),
       SUM(output_bytes)
     FROM tool_calls WHERE started_at <= ? GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (project_id, day, agent_id, tool, code) DO UPDATE SET calls = call_days.calls + excluded.calls,
       duration_ms = call_days.duration_ms + excluded.duration_ms,
       longest_ms = CASE WHEN call_days.longest_ms < excluded.longest_ms THEN excluded.longest_ms ELSE call_days.longest_ms END,
       input_bytes = call_days.input_bytes + excluded.input_bytes, output_bytes = call_days.output_bytes + excluded.output_bytes`,
    upTo,
  );
  return await tx.run('DELETE FROM tool_calls WHERE started_at <= ?', upTo);
}

/** The same for uses of a client's own tools. One that is still open after so long counts as lost. */
export async function foldToolUses(tx: Tx, upTo: number): Promise<number> {
  await tx.run(
    `INSERT INTO tool_use_days (project_id, agent_id, day, tool, outcome, uses, duration_ms)
     SELECT project_id, agent_id, started_at / ${DAY_MS}, tool, COALESCE(outcome, 'lost'), COUNT(*), SUM(COALESCE(duration_ms, 0))
     FROM tool_uses WHERE started_at <= ? GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (project_id, day, agent_id, tool, outcome) DO UPDATE SET uses = tool_use_days.uses + excluded.uses,
       duration_ms = tool_use_days.duration_ms + excluded.duration_ms`,
    upTo,
  );
  return await tx.run('DELETE FROM tool_uses WHERE started_at <= ?', upTo);
}

/** Forgets the sums of days before then. Answers how many rows went, by table. */
export async function deleteDaysBefore(tx: Tx, before: number): Promise<{ turn_days: number; call_days: number; tool_use_days: number }> {
  const day = Math.floor(before / DAY_MS);
  return {
    turn_days: await tx.run('DELETE FROM turn_days WHERE day < ?', day),
    call_days: await tx.run('DELETE FROM call_days WHERE day < ?', day),
    tool_use_days: await tx.run('DELETE FROM tool_use_days WHERE day < ?', day),
  };
}
