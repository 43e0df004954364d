// What is shown of all agents of a project beside their rows, each kind of fact in one statement, however many agents there are.

import { toInt, toText } from './columns.ts';
import type { Read } from './db.ts';
import type { InboxCounts } from './inbox.ts';
import { type SessionRow, toSession } from './sessions.ts';
import { type DoorRow, toDoor } from './wake-doors.ts';

/** The sessions that sub-agents live in, by id. */
export async function parentSessions(read: Read, projectId: string): Promise<Map<string, SessionRow>> {
  const rows = await read.all(
    `SELECT * FROM sessions WHERE id IN (SELECT parent_session_id FROM agents WHERE project_id = ? AND parent_session_id IS NOT NULL)`,
    projectId,
  );
  return new Map(rows.map(toSession).map((session) => [session.id, session]));
}

/** What waits for every agent, by agent; nothing of one for whom nothing waits. */
export async function inboxesIn(read: Read, projectId: string, now: number): Promise<Map<string, InboxCounts>> {
  const rows = await read.all(
    `SELECT * FROM (
       SELECT a.id,
         (SELECT COUNT(*) FROM deliveries d WHERE d.recipient_id = a.id AND d.state = 'ready' AND d.ready_at <= ?) AS unread,
         (SELECT COUNT(*) FROM deliveries d WHERE d.recipient_id = a.id AND d.state = 'ready' AND d.urgent = 1 AND d.ready_at <= ?) AS urgent,
         (SELECT COUNT(*) FROM deliveries d WHERE d.recipient_id = a.id AND d.state = 'leased') AS leased,
         (SELECT COUNT(*) FROM deliveries d WHERE d.recipient_id = a.id AND d.state = 'acked' AND d.done_at IS NULL) AS unreplied
       FROM agents a WHERE a.project_id = ?) AS counts
     WHERE unread > 0 OR leased > 0 OR unreplied > 0`,
    now,
    now,
    projectId,
  );
  const count = (row: (typeof rows)[number]) => ({
    unread: toInt(row, 'unread'),
    urgent: toInt(row, 'urgent'),
    leased: toInt(row, 'leased'),
    unreplied: toInt(row, 'unreplied'),
  });
  return new Map(rows.map((row) => [toText(row, 'id'), count(row)]));
}

/** How many tools are in flight that began since then, by session. */
export async function inFlightIn(read: Read, projectId: string, since: number): Promise<Map<string, number>> {
  const rows = await read.all(
    `SELECT u.session_id, COUNT(*) AS n FROM agents a JOIN sessions s ON s.agent_id = a.id AND s.ended_at IS NULL
       JOIN tool_uses u ON u.session_id = s.id AND u.ended_at IS NULL AND u.started_at >= ?
     WHERE a.project_id = ? GROUP BY u.session_id`,
    since,
    projectId,
  );
  return new Map(rows.map((row) => [toText(row, 'session_id'), toInt(row, 'n')]));
}

/** The doors that nobody closed, by agent. */
export async function doorsIn(read: Read, projectId: string): Promise<Map<string, DoorRow[]>> {
  const rows = await read.all(
    `SELECT w.* FROM agents a JOIN wake_doors w ON w.agent_id = a.id WHERE a.project_id = ? AND w.closed_at IS NULL`,
    projectId,
  );
  const doors = new Map<string, DoorRow[]>();
  for (const door of rows.map(toDoor)) doors.set(door.agentId, [...(doors.get(door.agentId) ?? []), door]);
  return doors;
}
