// What is counted over all projects: what is open now, and what was added since a place in the record. Open things are found by the partial
// indexes that hold nothing else, so counting them costs what they are, not what the history is.

import { toInt, toIntOrNull, toText } from './columns.ts';
import type { Read } from './db.ts';

export type Counted = { what: string; state: string; n: number };

/** Everything that is open, by what it is and its state. */
export async function countOpen(read: Read): Promise<Counted[]> {
  const rows = await read.all(
    `SELECT 'delivery' AS what, 'ready' AS state, COUNT(*) AS n FROM deliveries WHERE state = 'ready'
     UNION ALL SELECT 'delivery', 'leased', COUNT(*) FROM deliveries WHERE state = 'leased'
     UNION ALL SELECT 'delivery', 'dead', COUNT(*) FROM deliveries WHERE state = 'dead'
     UNION ALL SELECT 'session', door, COUNT(*) FROM sessions WHERE ended_at IS NULL GROUP BY door
     UNION ALL SELECT 'task', state, COUNT(*) FROM tasks WHERE closed_at IS NULL GROUP BY state
     UNION ALL SELECT 'ask', 'open', COUNT(*) FROM asks WHERE state = 'open'
     UNION ALL SELECT 'approval', 'pending', COUNT(*) FROM approvals WHERE state = 'pending'
     UNION ALL SELECT 'review', 'owed', COUNT(*) FROM reviews WHERE state = 'owed'
     UNION ALL SELECT 'reminder', state, COUNT(*) FROM reminders WHERE state IN ('pending', 'parked') GROUP BY state`,
  );
  return rows.map((row) => ({ what: toText(row, 'what'), state: toText(row, 'state'), n: toInt(row, 'n') }));
}

/** Since when the oldest delivery waits that nobody has acknowledged; null when there is none. */
export async function oldestUnacked(read: Read): Promise<number | null> {
  const row = await read.get(
    `SELECT MIN(at) AS at FROM (SELECT MIN(ready_at) AS at FROM deliveries WHERE state = 'ready'
       UNION ALL SELECT MIN(first_shown_at) FROM deliveries WHERE state = 'leased') AS oldest`,
  );
  return row === undefined ? null : toIntOrNull(row, 'at');
}

/** Types of events with how many there are between two places of a project. */
export async function eventsByType(read: Read, projectId: string, after: number, upTo: number): Promise<{ type: string; n: number }[]> {
  const rows = await read.all(
    'SELECT type, COUNT(*) AS n FROM events WHERE project_id = ? AND seq > ? AND seq <= ? GROUP BY type',
    projectId,
    after,
    upTo,
  );
  return rows.map((row) => ({ type: toText(row, 'type'), n: toInt(row, 'n') }));
}

export type Told = { type: string; data: string };

/** The data of some types of events between two places. */
export async function eventData(read: Read, projectId: string, after: number, upTo: number, types: readonly string[]): Promise<Told[]> {
  const rows = await read.all(
    `SELECT type, data FROM events WHERE project_id = ? AND seq > ? AND seq <= ? AND type IN (${types.map(() => '?').join(', ')})`,
    projectId,
    after,
    upTo,
    ...types,
  );
  return rows.map((row) => ({ type: toText(row, 'type'), data: toText(row, 'data') }));
}

/** One showing or acknowledgement between two places, with what is known of its delivery. Whoever did it is its recipient. */
export type Passing = { type: string; at: number; acceptedAt: number; firstShownAt: number | null };

export async function passings(read: Read, projectId: string, after: number, upTo: number): Promise<Passing[]> {
  const rows = await read.all(
    `SELECT e.type, e.at, m.created_at, d.first_shown_at FROM events e JOIN messages m ON m.id = e.subject
     JOIN deliveries d ON d.message_id = e.subject AND d.recipient_id = e.actor_id
     WHERE e.project_id = ? AND e.seq > ? AND e.seq <= ? AND e.type IN ('message.shown', 'message.acked')`,
    projectId,
    after,
    upTo,
  );
  return rows.map((row) => ({
    type: toText(row, 'type'),
    at: toInt(row, 'at'),
    acceptedAt: toInt(row, 'created_at'),
    firstShownAt: toIntOrNull(row, 'first_shown_at'),
  }));
}

export async function lastCall(read: Read): Promise<number> {
  const row = await read.get('SELECT COALESCE(MAX(id), 0) AS id FROM tool_calls');
  return row === undefined ? 0 : toInt(row, 'id');
}

/** The next `limit` calls after one, in the order in which they were recorded. */
export async function callsAfter(
  read: Read,
  id: number,
  limit: number,
): Promise<{ id: number; tool: string; code: string; durationMs: number }[]> {
  const rows = await read.all('SELECT id, tool, code, duration_ms FROM tool_calls WHERE id > ? ORDER BY id LIMIT ?', id, limit);
  return rows.map((row) => ({
    id: toInt(row, 'id'),
    tool: toText(row, 'tool'),
    code: toText(row, 'code'),
    durationMs: toInt(row, 'duration_ms'),
  }));
}
