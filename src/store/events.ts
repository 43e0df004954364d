// Rows of `events`: append-only, numbered without gaps per project, each carrying the hash of itself and its predecessor.

import { toInt, toText, toTextOrNull } from './columns.ts';
import type { Arg, Read, Row, Tx } from './db.ts';
import { insertingMany } from './many-rows.ts';

export type EventRow = {
  projectId: string;
  seq: number;
  at: number;
  type: string;
  actorId: string;
  sessionId: string | null;
  /** The id of the thing the event is about. */
  subject: string;
  /** JSON object; never a body, never a secret. */
  data: string;
  hash: string;
};

export const toEvent = (row: Row): EventRow => ({
  projectId: toText(row, 'project_id'),
  seq: toInt(row, 'seq'),
  at: toInt(row, 'at'),
  type: toText(row, 'type'),
  actorId: toText(row, 'actor_id'),
  sessionId: toTextOrNull(row, 'session_id'),
  subject: toText(row, 'subject'),
  data: toText(row, 'data'),
  hash: toText(row, 'hash'),
});

const toArgs = (event: EventRow): Arg[] => [
  event.projectId,
  event.seq,
  event.at,
  event.type,
  event.actorId,
  event.sessionId,
  event.subject,
  event.data,
  event.hash,
];

const insertAll = insertingMany(
  'INSERT INTO events (project_id, seq, at, type, actor_id, session_id, subject, data, hash)',
  '(?, ?, ?, ?, ?, ?, ?, ?, ?)',
  toArgs,
);

export async function insertEvents(tx: Tx, events: readonly EventRow[]): Promise<void> {
  await insertAll(tx, events);
}

export async function eventsAfter(read: Read, projectId: string, seq: number, limit: number): Promise<EventRow[]> {
  return (await read.all('SELECT * FROM events WHERE project_id = ? AND seq > ? ORDER BY seq LIMIT ?', projectId, seq, limit)).map(toEvent);
}

export async function eventsAbout(read: Read, projectId: string, subject: string, limit: number): Promise<EventRow[]> {
  const rows = await read.all('SELECT * FROM events WHERE subject = ? AND project_id = ? ORDER BY seq LIMIT ?', subject, projectId, limit);
  return rows.map(toEvent);
}

/** The same after a seq, for whoever reads all of them. */
export async function eventsAboutAfter(read: Read, projectId: string, subject: string, seq: number, limit: number): Promise<EventRow[]> {
  const rows = await read.all(
    'SELECT * FROM events WHERE subject = ? AND seq > ? AND project_id = ? ORDER BY seq LIMIT ?',
    subject,
    seq,
    projectId,
    limit,
  );
  return rows.map(toEvent);
}

/** A choice of events. Kinds are the words before the dot of a type. */
export type EventFilter = { kinds: readonly string[]; actorId: string | null; subject: string | null };

/** Events with `floor` < seq < `before` that match, newest first. */
export async function eventsBefore(
  read: Read,
  projectId: string,
  range: { before: number; floor: number; limit: number },
  { kinds, actorId, subject }: EventFilter,
): Promise<EventRow[]> {
  const ofKind = kinds.length === 0 ? '' : ` AND (${kinds.map(() => `type LIKE ?`).join(' OR ')})`;
  const ofActor = actorId === null ? '' : ' AND actor_id = ?';
  const ofSubject = subject === null ? '' : ' AND subject = ?';
  const rows = await read.all(
    `SELECT * FROM events WHERE project_id = ? AND seq < ? AND seq > ?${ofKind}${ofActor}${ofSubject} ORDER BY seq DESC LIMIT ?`,
    projectId,
    range.before,
    range.floor,
    ...kinds.map((kind) => `${kind}.%`),
    ...(actorId === null ? [] : [actorId]),
    ...(subject === null ? [] : [subject]),
    range.limit,
  );
  return rows.map(toEvent);
}
