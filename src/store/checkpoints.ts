// Rows of `checkpoints`: what an agent needs to know again when its context is gone, in its own words or as its client's hooks saw it.

import { toInt, toText, toTextOrNull, toTexts, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const CHECKPOINT_SOURCES = ['agent', 'hook'] as const;
export type CheckpointSource = (typeof CHECKPOINT_SOURCES)[number];

export type CheckpointRow = {
  id: string;
  projectId: string;
  agentId: string;
  sessionId: string;
  /** The seq of its event: of two checkpoints the one with the higher is the newer. */
  seq: number;
  source: CheckpointSource;
  /** What the agent was doing, in its words; null when a hook made it. */
  currentTask: string | null;
  filesModified: string[];
  decisions: string[];
  openQuestions: string[];
  blockers: string[];
  gitState: string | null;
  note: string;
  savedAt: number;
};

const toCheckpoint = (row: Row): CheckpointRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  sessionId: toText(row, 'session_id'),
  seq: toInt(row, 'seq'),
  source: toWord(row, 'source', CHECKPOINT_SOURCES),
  currentTask: toTextOrNull(row, 'current_task'),
  filesModified: toTexts(row, 'files_modified'),
  decisions: toTexts(row, 'decisions'),
  openQuestions: toTexts(row, 'open_questions'),
  blockers: toTexts(row, 'blockers'),
  gitState: toTextOrNull(row, 'git_state'),
  note: toText(row, 'note'),
  savedAt: toInt(row, 'saved_at'),
});

export async function insertCheckpoint(tx: Tx, checkpoint: CheckpointRow): Promise<void> {
  await tx.run(
    `INSERT INTO checkpoints (id, project_id, agent_id, session_id, seq, source, current_task, files_modified, decisions, open_questions, blockers,
       git_state, note, saved_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    checkpoint.id,
    checkpoint.projectId,
    checkpoint.agentId,
    checkpoint.sessionId,
    checkpoint.seq,
    checkpoint.source,
    checkpoint.currentTask,
    JSON.stringify(checkpoint.filesModified),
    JSON.stringify(checkpoint.decisions),
    JSON.stringify(checkpoint.openQuestions),
    JSON.stringify(checkpoint.blockers),
    checkpoint.gitState,
    checkpoint.note,
    checkpoint.savedAt,
  );
}

/** The newest checkpoint of an agent from one source. */
export async function newestCheckpoint(read: Read, agentId: string, source: CheckpointSource): Promise<CheckpointRow | undefined> {
  const row = await read.get('SELECT * FROM checkpoints WHERE agent_id = ? AND source = ? ORDER BY seq DESC LIMIT 1', agentId, source);
  return row && toCheckpoint(row);
}

/** Forgets all but the newest `kept` of an agent from one source. */
export async function forgetOlderCheckpoints(tx: Tx, agentId: string, source: CheckpointSource, kept: number): Promise<void> {
  const row = await tx.get(
    'SELECT seq FROM checkpoints WHERE agent_id = ? AND source = ? ORDER BY seq DESC LIMIT 1 OFFSET ?',
    agentId,
    source,
    kept,
  );
  if (row === undefined) return;
  await tx.run('DELETE FROM checkpoints WHERE agent_id = ? AND source = ? AND seq <= ?', agentId, source, toInt(row, 'seq'));
}
