// Rows of `task_scores`: how an agent has done at what a capability was needed for. It decides between agents that are equal otherwise.

import { toInt, toText } from './columns.ts';
import type { Read, Tx } from './db.ts';

/** Counts an end. A task that needs nothing in particular counts under the empty capability. */
export async function recordScore(
  tx: Tx,
  agentId: string,
  needs: readonly string[],
  end: { completed?: number; failed?: number; workedMs?: number },
): Promise<void> {
  for (const capability of needs.length === 0 ? [''] : needs) {
    await tx.run(
      `INSERT INTO task_scores (agent_id, capability, completed, failed, worked_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, capability) DO UPDATE SET completed = task_scores.completed + excluded.completed,
         failed = task_scores.failed + excluded.failed, worked_ms = task_scores.worked_ms + excluded.worked_ms`,
      agentId,
      capability,
      end.completed ?? 0,
      end.failed ?? 0,
      Math.max(0, end.workedMs ?? 0),
    );
  }
}

export type Score = { agentId: string; completed: number; failed: number };

/** How each agent of a project has done at one capability. */
export async function scoresAt(read: Read, projectId: string, capability: string): Promise<Score[]> {
  const rows = await read.all(
    `SELECT s.agent_id, s.completed, s.failed FROM agents a JOIN task_scores s ON s.agent_id = a.id AND s.capability = ? WHERE a.project_id = ?`,
    capability,
    projectId,
  );
  return rows.map((row) => ({ agentId: toText(row, 'agent_id'), completed: toInt(row, 'completed'), failed: toInt(row, 'failed') }));
}
