// Deliveries whose time has come: what the timed duties look for, and the marks they leave. The schema has a partial index for each.

import type { Read, Tx } from './db.ts';
import { type DeliveryRow, toDelivery } from './deliveries.ts';

export type DueKind = 'expiring' | 'poisoned' | 'forgotten' | 'stalled';

const DUE_SQL: Record<DueKind, string> = {
  expiring: `SELECT * FROM deliveries WHERE state IN ('ready', 'leased') AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
  poisoned: `SELECT * FROM deliveries WHERE state = 'leased' AND attempt >= attempt_limit AND first_shown_at <= ? ORDER BY shown_at LIMIT ?`,
  forgotten: `SELECT * FROM deliveries WHERE state = 'leased' AND nudged_at IS NULL AND shown_at <= ? ORDER BY shown_at LIMIT ?`,
  stalled: `SELECT * FROM deliveries WHERE state = 'leased' AND stalled_at IS NULL AND first_shown_at <= ? ORDER BY shown_at LIMIT ?`,
};

/** Deliveries whose time has come, oldest first, over all projects. Each duty re-checks inside its own transaction. */
export async function dueDeliveries(read: Read, kind: DueKind, before: number, limit: number): Promise<DeliveryRow[]> {
  return (await read.all(DUE_SQL[kind], before, limit)).map(toDelivery);
}

export async function markNudged(tx: Tx, delivery: DeliveryRow, now: number): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET nudged_at = ? WHERE message_id = ? AND recipient_id = ?',
    now,
    delivery.messageId,
    delivery.recipientId,
  );
}

export async function markStalled(tx: Tx, delivery: DeliveryRow, now: number): Promise<void> {
  await tx.run(
    'UPDATE deliveries SET stalled_at = ? WHERE message_id = ? AND recipient_id = ?',
    now,
    delivery.messageId,
    delivery.recipientId,
  );
}

/** Pool messages leased by agents without a live session, their own or their parent's, whose first offer was shown before `before`. */
export async function orphanedPool(read: Read, before: number, limit: number): Promise<DeliveryRow[]> {
  const rows = await read.all(
    `SELECT d.* FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.state = 'leased' AND d.shown_at <= ? AND m.pool = 1
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = d.recipient_id AND s.ended_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM agents a JOIN sessions s ON s.id = a.parent_session_id WHERE a.id = d.recipient_id AND s.ended_at IS NULL)
     ORDER BY d.shown_at LIMIT ?`,
    before,
    limit,
  );
  return rows.map(toDelivery);
}
