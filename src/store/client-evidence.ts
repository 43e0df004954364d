// What the database says of clients, for the doctor: when which of their hooks was last heard, and which ways of waking were ever proven.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read } from './db.ts';

/** Instants of the latest of each; null: never. */
export type HookEvidence = {
  /** A session of this client, with hooks or without. */
  sessionAt: number | null;
  /** SessionStart told which session a process of it runs. */
  startAt: number | null;
  /** Any hook within a session. */
  anyAt: number | null;
  /** A tool was announced before or after its use. */
  toolAt: number | null;
  /** A turn was said to be over. */
  stopAt: number | null;
};

/** `prefix`: how the keys of this client's sessions begin, such as `claude:`. */
export async function hookEvidence(read: Read, prefix: string): Promise<HookEvidence> {
  const like = `${prefix}%`;
  const sessions = await read.get(
    'SELECT MAX(started_at) AS session_at, MAX(hooked_at) AS any_at, MAX(turn_ended_at) AS stop_at FROM sessions WHERE client_key LIKE ?',
    like,
  );
  const starts = await read.get('SELECT MAX(seen_at) AS start_at FROM client_processes WHERE client_key LIKE ?', like);
  const tools = await read.get(
    'SELECT MAX(u.started_at) AS tool_at FROM tool_uses u JOIN sessions s ON s.id = u.session_id WHERE s.client_key LIKE ?',
    like,
  );
  return {
    sessionAt: sessions === undefined ? null : toIntOrNull(sessions, 'session_at'),
    startAt: starts === undefined ? null : toIntOrNull(starts, 'start_at'),
    anyAt: sessions === undefined ? null : toIntOrNull(sessions, 'any_at'),
    toolAt: tools === undefined ? null : toIntOrNull(tools, 'tool_at'),
    stopAt: sessions === undefined ? null : toIntOrNull(sessions, 'stop_at'),
  };
}

/** Every kind of door that was ever opened: how many are open now, and when one of it was last proven. */
export async function doorEvidence(read: Read): Promise<{ kind: string; open: number; provenAt: number | null }[]> {
  const rows = await read.all(
    'SELECT kind, SUM(CASE WHEN closed_at IS NULL THEN 1 ELSE 0 END) AS open, MAX(proven_at) AS proven_at FROM wake_doors GROUP BY kind ORDER BY kind',
  );
  return rows.map((row) => ({ kind: toText(row, 'kind'), open: toInt(row, 'open'), provenAt: toIntOrNull(row, 'proven_at') }));
}
