// Approvals as they are shown: with names instead of ids, with what they say about an action, and with how they were decided before.

import { findAgent } from '../store/agents.ts';
import type { ApprovalRow } from '../store/approvals.ts';
import type { Read } from '../store/db.ts';
import { toIso } from './clock.ts';
import { HubError } from './errors.ts';

export type ApprovalView = ApprovalRow & { requester: string; decider: string | null; consumer: string | null };

export async function viewOf(read: Read, approval: ApprovalRow): Promise<ApprovalView> {
  const name = async (id: string | null) => (id === null ? null : ((await findAgent(read, id))?.name ?? 'unknown'));
  return {
    ...approval,
    requester: (await name(approval.requesterId)) ?? 'unknown',
    decider: await name(approval.decidedBy),
    consumer: await name(approval.consumedBy),
  };
}

/** Whether an approval holds for the action of that digest now, and why or why not. */
export function verdictOn(approval: ApprovalView, digest: string, now: number): { valid: boolean; why: string } {
  const no = (why: string) => ({ valid: false, why });
  if (approval.digest !== digest) return no('It is for another action; nothing is approved for this one.');
  if (approval.state === 'consumed')
    return no(`It was used at ${toIso(approval.consumedAt ?? now)} by ${approval.consumer}; it holds once.`);
  if (approval.state === 'denied') return no(`It was denied at ${toIso(approval.decidedAt ?? now)} by ${approval.decider}.`);
  if (approval.state === 'expired' || approval.expiresAt <= now) return no(`Its time ended at ${toIso(approval.expiresAt)}.`);
  if (approval.state === 'pending') return no('Nobody has decided it yet.');
  return { valid: true, why: `Approved at ${toIso(approval.decidedAt ?? now)} by ${approval.decider}, for exactly this action, once.` };
}

/** The refusal of a second decision: it names the first. */
export function decidedBefore(approval: ApprovalView): HubError {
  const how =
    approval.decidedAt === null
      ? `expired at ${toIso(approval.expiredAt ?? approval.expiresAt)}`
      : `${approval.state === 'denied' ? 'denied' : 'approved'} by ${approval.decider} at ${toIso(approval.decidedAt)}`;
  return new HubError('conflict', `This approval was already ${how}; the first decision stands and nothing was changed.`, {
    hint: 'Who needs another decision asks again.',
  });
}
