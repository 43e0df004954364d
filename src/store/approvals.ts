// Rows of `approvals`: who asked for exactly what, who decided it with which right, and whether it was used (C8).
// Invariant: every change of state names the state it comes from, so of two that try at once one finds nothing to change.

import { toInt, toIntOrNull, toText, toTextOrNull, toWord } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export const RISKS = ['low', 'medium', 'high'] as const;
export type Risk = (typeof RISKS)[number];
export const APPROVAL_STATES = ['pending', 'approved', 'denied', 'expired', 'consumed'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];
/** With which right it was decided. */
export const DECIDERS = ['policy', 'manager', 'operator'] as const;
export type Decider = (typeof DECIDERS)[number];

export type ApprovalRow = {
  id: string;
  projectId: string;
  requesterId: string;
  requesterSessionId: string;
  /** Whose session acts: the requester itself, or the agent that registered it. */
  handId: string;
  /** What is to be done, as whoever decides is shown it; the digest is made of it. */
  action: string;
  digest: string;
  risk: Risk;
  /** Why, in the requester's words. */
  reason: string;
  ref: string | null;
  /** The message that carries the request; null when nobody had to be asked. */
  messageId: string | null;
  state: ApprovalState;
  requestedAt: number;
  /** The end of waiting while pending; once approved, the end of its use. */
  expiresAt: number;
  decidedAt: number | null;
  decidedBy: string | null;
  decidedAs: Decider | null;
  note: string | null;
  consumedAt: number | null;
  consumedBy: string | null;
  /** The client's own id of the tool use that used it, so that a repeated question about the same use is answered alike. */
  consumedFor: string | null;
  expiredAt: number | null;
};

const toApproval = (row: Row): ApprovalRow => ({
  id: toText(row, 'id'),
  projectId: toText(row, 'project_id'),
  requesterId: toText(row, 'requester_id'),
  requesterSessionId: toText(row, 'requester_session_id'),
  handId: toText(row, 'hand_id'),
  action: toText(row, 'action'),
  digest: toText(row, 'digest'),
  risk: toWord(row, 'risk', RISKS),
  reason: toText(row, 'reason'),
  ref: toTextOrNull(row, 'ref'),
  messageId: toTextOrNull(row, 'message_id'),
  state: toWord(row, 'state', APPROVAL_STATES),
  requestedAt: toInt(row, 'requested_at'),
  expiresAt: toInt(row, 'expires_at'),
  decidedAt: toIntOrNull(row, 'decided_at'),
  decidedBy: toTextOrNull(row, 'decided_by'),
  decidedAs: row.decided_as === null ? null : toWord(row, 'decided_as', DECIDERS),
  note: toTextOrNull(row, 'note'),
  consumedAt: toIntOrNull(row, 'consumed_at'),
  consumedBy: toTextOrNull(row, 'consumed_by'),
  consumedFor: toTextOrNull(row, 'consumed_for'),
  expiredAt: toIntOrNull(row, 'expired_at'),
});

export type ApprovalDraft = Omit<
  ApprovalRow,
  'state' | 'decidedAt' | 'decidedBy' | 'decidedAs' | 'note' | 'consumedAt' | 'consumedBy' | 'consumedFor' | 'expiredAt'
>;

export async function insertApproval(tx: Tx, approval: ApprovalDraft): Promise<void> {
  await tx.run(
    `INSERT INTO approvals (id, project_id, requester_id, requester_session_id, hand_id, action, digest, risk, reason, ref, message_id, state,
       requested_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    approval.id,
    approval.projectId,
    approval.requesterId,
    approval.requesterSessionId,
    approval.handId,
    approval.action,
    approval.digest,
    approval.risk,
    approval.reason,
    approval.ref,
    approval.messageId,
    approval.requestedAt,
    approval.expiresAt,
  );
}

export async function findApproval(read: Read, projectId: string, id: string): Promise<ApprovalRow | undefined> {
  const row = await read.get('SELECT * FROM approvals WHERE id = ? AND project_id = ?', id, projectId);
  return row && toApproval(row);
}

/** Approvals of one action by one hand, the newest first. */
export async function approvalsOfAction(read: Read, handId: string, digest: string, limit: number): Promise<ApprovalRow[]> {
  const rows = await read.all(
    'SELECT * FROM approvals WHERE hand_id = ? AND digest = ? ORDER BY requested_at DESC, id DESC LIMIT ?',
    handId,
    digest,
    limit,
  );
  return rows.map(toApproval);
}

/** Pending and approved ones of one requester, the oldest first. */
export async function openApprovalsBy(read: Read, requesterId: string, limit: number): Promise<ApprovalRow[]> {
  const rows = await read.all(
    `SELECT * FROM approvals WHERE requester_id = ? AND state IN ('pending', 'approved') ORDER BY requested_at LIMIT ?`,
    requesterId,
    limit,
  );
  return rows.map(toApproval);
}

/** What waits for a decision in a project, the oldest first. */
export async function pendingApprovals(read: Read, projectId: string, limit: number): Promise<ApprovalRow[]> {
  const rows = await read.all(
    `SELECT * FROM approvals WHERE project_id = ? AND state = 'pending' ORDER BY requested_at LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map(toApproval);
}

/** Approvals of a project in any state, newest first. */
export async function approvalsIn(read: Read, projectId: string, limit: number): Promise<ApprovalRow[]> {
  return (await read.all('SELECT * FROM approvals WHERE project_id = ? ORDER BY requested_at DESC LIMIT ?', projectId, limit)).map(
    toApproval,
  );
}

export async function countPendingBy(read: Read, requesterId: string): Promise<number> {
  const row = await read.get(`SELECT COUNT(*) AS n FROM approvals WHERE requester_id = ? AND state = 'pending'`, requesterId);
  return row === undefined ? 0 : toInt(row, 'n');
}

export async function countPendingIn(read: Read, projectId: string): Promise<number> {
  const row = await read.get(`SELECT COUNT(*) AS n FROM approvals WHERE project_id = ? AND state = 'pending'`, projectId);
  return row === undefined ? 0 : toInt(row, 'n');
}

/** Decides what is pending. `expiresAt`: from now on, the end of its use. Answers whether this call did it. */
export async function decideApproval(
  tx: Tx,
  id: string,
  decision: { state: 'approved' | 'denied'; by: string; as: Decider; note: string | null; expiresAt: number },
  now: number,
): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE approvals SET state = ?, decided_at = ?, decided_by = ?, decided_as = ?, note = ?, expires_at = ? WHERE id = ? AND state = 'pending'`,
    decision.state,
    now,
    decision.by,
    decision.as,
    decision.note,
    decision.expiresAt,
    id,
  );
  return changes === 1;
}

/** Uses an approval up. Answers whether this call did it. */
export async function consumeApproval(tx: Tx, id: string, by: string, use: string | null, now: number): Promise<boolean> {
  const changes = await tx.run(
    `UPDATE approvals SET state = 'consumed', consumed_at = ?, consumed_by = ?, consumed_for = ? WHERE id = ? AND state = 'approved'`,
    now,
    by,
    use,
    id,
  );
  return changes === 1;
}

/** Ends what was not decided, or not used, in time. Answers whether this call did it. */
export async function expireApproval(tx: Tx, id: string, from: 'pending' | 'approved', now: number): Promise<boolean> {
  const changes = await tx.run(`UPDATE approvals SET state = 'expired', expired_at = ? WHERE id = ? AND state = ?`, now, id, from);
  return changes === 1;
}

/** What is pending or approved past its time, over all projects. */
export async function overdueApprovals(read: Read, now: number, limit: number): Promise<ApprovalRow[]> {
  const rows = await read.all(
    `SELECT * FROM approvals WHERE state IN ('pending', 'approved') AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
    now,
    limit,
  );
  return rows.map(toApproval);
}

export async function nextExpiry(read: Read): Promise<number | null> {
  const row = await read.get(`SELECT MIN(expires_at) AS next FROM approvals WHERE state IN ('pending', 'approved')`);
  return row === undefined ? null : toIntOrNull(row, 'next');
}
