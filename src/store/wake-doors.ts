// Rows of `wake_doors`: the ways by which an agent's client can be woken. One row per agent and kind: whoever opened it last hosts it, and what
// was proven of it stays known when another session opens it again. Registered doors carry a target and need no process.

import { flag, toFlag, toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

/** In the order in which they are tried while nothing is proven: the quickest first, the one that nobody acknowledges last. */
export const WAKE_DOORS = ['monitor', 'messaging_socket', 'async_rewake', 'codex_queue', 'command', 'webhook', 'channel'] as const;
export type WakeDoor = (typeof WAKE_DOORS)[number];

export type DoorRow = {
  id: string;
  projectId: string;
  agentId: string;
  kind: WakeDoor;
  registered: boolean;
  /** JSON: what a registered door reaches. */
  target: string | null;
  sessionId: string | null;
  host: string | null;
  pid: number | null;
  openedAt: number;
  closedAt: number | null;
  /** When the agent last read after being woken by it. */
  provenAt: number | null;
  /** Attempts since then, or since it was opened, that nothing came of. */
  failures: number;
};

export const toDoor = (row: Row): DoorRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  agentId: toText(row, 'agent_id'),
  kind: toWord(row, 'kind', WAKE_DOORS),
  registered: toFlag(row, 'registered'),
  target: toTextOrNull(row, 'target'),
  sessionId: toTextOrNull(row, 'session_id'),
  host: toTextOrNull(row, 'host'),
  pid: toIntOrNull(row, 'pid'),
  openedAt: toInt(row, 'opened_at'),
  closedAt: toIntOrNull(row, 'closed_at'),
  provenAt: toIntOrNull(row, 'proven_at'),
  failures: toInt(row, 'failures'),
});

/** The doors of an agent that nobody closed; whether their host still lives is for the hub to say. */
export async function doorsOf(read: Read, agentId: string): Promise<DoorRow[]> {
  return (await read.all('SELECT * FROM wake_doors WHERE agent_id = ? AND closed_at IS NULL', agentId)).map(toDoor);
}

export async function findDoor(read: Read, id: string): Promise<DoorRow | undefined> {
  const row = await read.get('SELECT * FROM wake_doors WHERE id = ?', id);
  return row && toDoor(row);
}

/** Registered doors that are open, of all projects. */
export async function registeredDoors(read: Read, limit: number): Promise<DoorRow[]> {
  return (await read.all('SELECT * FROM wake_doors WHERE registered = 1 AND closed_at IS NULL ORDER BY agent_id LIMIT ?', limit)).map(
    toDoor,
  );
}

/** Opens a door, or takes it over from whoever had it. Answers the id that it has. */
export async function openDoor(tx: Tx, door: Omit<DoorRow, 'closedAt' | 'provenAt' | 'failures'>): Promise<string> {
  const row = await tx.get(
    `INSERT INTO wake_doors (id, project_id, agent_id, kind, registered, target, session_id, host, pid, opened_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent_id, kind, registered) DO UPDATE SET target = excluded.target, session_id = excluded.session_id, host = excluded.host,
       pid = excluded.pid, opened_at = excluded.opened_at, closed_at = NULL, failures = 0
     RETURNING id`,
    door.id,
    door.projectId,
    door.agentId,
    door.kind,
    flag(door.registered),
    door.target,
    door.sessionId,
    door.host,
    door.pid,
    door.openedAt,
  );
  if (row === undefined) throw new Error('the opened door was not returned');
  return toText(row, 'id');
}

/** Closes a door. With a host, only if that one still has it. Answers whether this call did it. */
export async function closeDoor(tx: Tx, id: string, holder: { host: string; pid: number } | null, now: number): Promise<boolean> {
  const changes =
    holder === null
      ? await tx.run('UPDATE wake_doors SET closed_at = ? WHERE id = ? AND closed_at IS NULL', now, id)
      : await tx.run(
          'UPDATE wake_doors SET closed_at = ? WHERE id = ? AND closed_at IS NULL AND host = ? AND pid = ?',
          now,
          id,
          holder.host,
          holder.pid,
        );
  return changes === 1;
}

export async function proveDoor(tx: Tx, id: string, now: number): Promise<void> {
  await tx.run('UPDATE wake_doors SET proven_at = ?, failures = 0 WHERE id = ?', now, id);
}

export async function failDoor(tx: Tx, id: string): Promise<void> {
  await tx.run('UPDATE wake_doors SET failures = failures + 1 WHERE id = ?', id);
}
