// Rows of `reminders` and `reminder_firings`. `due_at` is the instant that was asked for; `attempt_at` is when it is tried next, which is later
// after a failure. A firing is unique per reminder and due instant (I10).

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import { insertingMany, marks, runForAll, textsFor } from './many-rows.ts';

export const REMINDER_STATES = ['pending', 'parked', 'done', 'cancelled'] as const;
export type ReminderState = (typeof REMINDER_STATES)[number];

export type ReminderRow = {
  id: string;
  projectId: string;
  ownerId: string;
  targetId: string;
  sessionId: string;
  message: string;
  /** The id of an ask or message: it fires only while that is still open. */
  onlyIf: string | null;
  cron: string | null;
  timezone: string | null;
  maxRuns: number | null;
  runs: number;
  state: ReminderState;
  dueAt: number;
  attemptAt: number;
  attemptCount: number;
  lastError: string | null;
  createdAt: number;
  closedAt: number | null;
};

export const toReminder = (row: Row): ReminderRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  ownerId: toText(row, 'owner_id'),
  targetId: toText(row, 'target_id'),
  sessionId: toText(row, 'session_id'),
  message: toText(row, 'message'),
  onlyIf: toTextOrNull(row, 'only_if'),
  cron: toTextOrNull(row, 'cron'),
  timezone: toTextOrNull(row, 'timezone'),
  maxRuns: toIntOrNull(row, 'max_runs'),
  runs: toInt(row, 'runs'),
  state: toWord(row, 'state', REMINDER_STATES),
  dueAt: toInt(row, 'due_at'),
  attemptAt: toInt(row, 'attempt_at'),
  attemptCount: toInt(row, 'attempt_count'),
  lastError: toTextOrNull(row, 'last_error'),
  createdAt: toInt(row, 'created_at'),
  closedAt: toIntOrNull(row, 'closed_at'),
});

export async function insertReminder(tx: Tx, reminder: ReminderRow): Promise<void> {
  await tx.run(
    `INSERT INTO reminders (id, project_id, owner_id, target_id, session_id, message, only_if, cron, timezone, max_runs, runs, state, due_at, attempt_at, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'pending', ?, ?, ?)`,
    reminder.id,
    reminder.projectId,
    reminder.ownerId,
    reminder.targetId,
    reminder.sessionId,
    reminder.message,
    reminder.onlyIf,
    reminder.cron,
    reminder.timezone,
    reminder.maxRuns,
    reminder.dueAt,
    reminder.attemptAt,
    reminder.createdAt,
  );
}

export async function findReminder(read: Read, projectId: string, id: string): Promise<ReminderRow | undefined> {
  const row = await read.get('SELECT * FROM reminders WHERE id = ? AND project_id = ?', id, projectId);
  return row && toReminder(row);
}

/** Projects in which something is due, those of the longest overdue first: found by a look at no more than `limit` reminders. */
export async function projectsWithDue(read: Read, now: number, limit: number): Promise<string[]> {
  const rows = await read.all(
    `SELECT project_id FROM reminders WHERE state = 'pending' AND attempt_at <= ? ORDER BY attempt_at LIMIT ?`,
    now,
    limit,
  );
  return [...new Set(rows.map((row) => toText(row, 'project_id')))];
}

/**
 * What is due in a project, longest overdue first, unparsed: a damaged one must not hide the others. COALESCE keeps SQLite from the index by project,
 * in which it would go through every reminder that the project ever had; few are due.
 */
export async function dueReminders(read: Read, projectId: string, now: number, limit: number): Promise<Row[]> {
  return await read.all(
    `SELECT * FROM reminders WHERE state = 'pending' AND attempt_at <= ? AND COALESCE(project_id, '') = ? ORDER BY attempt_at LIMIT ?`,
    now,
    projectId,
    limit,
  );
}

export async function nextAttempt(read: Read): Promise<number | null> {
  const row = await read.get(`SELECT attempt_at FROM reminders WHERE state = 'pending' ORDER BY attempt_at LIMIT 1`);
  return row === undefined ? null : toInt(row, 'attempt_at');
}

/** A due instant, and the message that came of it; null where none was due any more. */
export type FiringRow = { reminderId: string; dueAt: number; firedAt: number; messageId: string | null };

const insertFirings = insertingMany(
  'INSERT INTO reminder_firings (reminder_id, due_at, fired_at, message_id)',
  '(?, ?, ?, ?)',
  ({ reminderId, dueAt, firedAt, messageId }: FiringRow) => [reminderId, dueAt, firedAt, messageId],
  ' ON CONFLICT (reminder_id, due_at) DO NOTHING',
);

/** Claims due instants. Answers false when one of them was fired before. */
export async function claimFirings(tx: Tx, firings: readonly FiringRow[]): Promise<boolean> {
  return (await insertFirings(tx, firings)) === firings.length;
}

const FINISHES = textsFor(
  (count) =>
    `UPDATE reminders SET state = 'done', runs = runs + 1, attempt_count = 0, last_error = NULL, closed_at = ?
     WHERE state = 'pending' AND id IN (${marks(count)})`,
);

/** These have fired for the last time. */
export async function finishReminders(tx: Tx, ids: readonly string[], now: number): Promise<void> {
  await runForAll(tx, FINISHES, ids, (id) => [id], [now]);
}

/** The next instant, or (null) done. */
export async function rescheduleReminder(tx: Tx, id: string, nextDueAt: number | null, runs: number, now: number): Promise<void> {
  if (nextDueAt === null) {
    await tx.run(
      `UPDATE reminders SET state = 'done', runs = ?, attempt_count = 0, last_error = NULL, closed_at = ? WHERE id = ? AND state = 'pending'`,
      runs,
      now,
      id,
    );
    return;
  }
  await tx.run(
    `UPDATE reminders SET due_at = ?, attempt_at = ?, runs = ?, attempt_count = 0, last_error = NULL WHERE id = ? AND state = 'pending'`,
    nextDueAt,
    nextDueAt,
    runs,
    id,
  );
}

export async function recordFailure(
  tx: Tx,
  id: string,
  failure: { attempts: number; error: string; attemptAt: number; park: boolean },
): Promise<void> {
  await tx.run(
    `UPDATE reminders SET attempt_count = ?, last_error = ?, attempt_at = ?, state = ? WHERE id = ? AND state = 'pending'`,
    failure.attempts,
    failure.error,
    failure.attemptAt,
    failure.park ? 'parked' : 'pending',
    id,
  );
}

export async function cancelReminder(tx: Tx, id: string, now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE reminders SET state = 'cancelled', closed_at = ? WHERE id = ? AND state IN ('pending', 'parked')`,
    now,
    id,
  );
  return changes === 1;
}

/** A parked reminder is tried again at once, as if it had never failed. */
export async function unparkReminder(tx: Tx, id: string, now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE reminders SET state = 'pending', attempt_count = 0, attempt_at = ? WHERE id = ? AND (state = 'parked' OR (state = 'pending' AND attempt_count > 0))`,
    now,
    id,
  );
  return changes === 1;
}

/** Reminders of one owner, soonest first: those still to fire, or (state given) of that state. */
export async function remindersOf(read: Read, ownerId: string, state: ReminderState | null, limit: number): Promise<ReminderRow[]> {
  const rows =
    state === null
      ? await read.all(
          `SELECT * FROM reminders WHERE owner_id = ? AND state IN ('pending', 'parked') ORDER BY due_at LIMIT ?`,
          ownerId,
          limit,
        )
      : await read.all('SELECT * FROM reminders WHERE owner_id = ? AND state = ? ORDER BY created_at DESC LIMIT ?', ownerId, state, limit);
  return rows.map(toReminder);
}

export async function remindersIn(read: Read, projectId: string, state: ReminderState | null, limit: number): Promise<ReminderRow[]> {
  const rows = await read.all(
    `SELECT * FROM reminders WHERE project_id = ? AND (CAST(? AS TEXT) IS NULL OR state = ?) ORDER BY created_at DESC LIMIT ?`,
    projectId,
    state,
    state,
    limit,
  );
  return rows.map(toReminder);
}

/** `fired`: how often this owner's reminders have fired so far. */
export type ReminderCounts = { pending: number; parked: number; fired: number };

export async function countReminders(read: Read, ownerId: string): Promise<ReminderCounts> {
  const row = await read.get(
    `SELECT (SELECT COUNT(*) FROM reminders WHERE owner_id = ? AND state IN ('pending', 'parked') AND state = 'pending') AS pending,
            (SELECT COUNT(*) FROM reminders WHERE owner_id = ? AND state IN ('pending', 'parked') AND state = 'parked') AS parked,
            (SELECT CAST(COALESCE(SUM(runs), 0) AS BIGINT) FROM reminders WHERE owner_id = ?) AS fired`,
    ownerId,
    ownerId,
    ownerId,
  );
  return row === undefined
    ? { pending: 0, parked: 0, fired: 0 }
    : { pending: toInt(row, 'pending'), parked: toInt(row, 'parked'), fired: toInt(row, 'fired') };
}

/** The same of every agent of a project that ever had one. */
export async function countRemindersByOwner(read: Read, projectId: string): Promise<({ agentId: string } & ReminderCounts)[]> {
  const rows = await read.all(
    `SELECT owner_id, SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END) AS pending, SUM(CASE WHEN state = 'parked' THEN 1 ELSE 0 END) AS parked,
            CAST(SUM(runs) AS BIGINT) AS fired
     FROM reminders WHERE project_id = ? GROUP BY owner_id`,
    projectId,
  );
  return rows.map((row) => ({
    agentId: toText(row, 'owner_id'),
    ...{ pending: toInt(row, 'pending'), parked: toInt(row, 'parked'), fired: toInt(row, 'fired') },
  }));
}

/** Creations of one owner since an instant, and the earliest of them: the creation rate. */
export async function recentCreations(read: Read, ownerId: string, since: number): Promise<{ count: number; earliest: number | null }> {
  const row = await read.get(
    'SELECT COUNT(*) AS n, MIN(created_at) AS earliest FROM reminders WHERE owner_id = ? AND created_at > ?',
    ownerId,
    since,
  );
  return row === undefined ? { count: 0, earliest: null } : { count: toInt(row, 'n'), earliest: toIntOrNull(row, 'earliest') };
}
