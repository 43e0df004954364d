// approvals: what agents asked to be allowed, the newest first: word for word, who may decide it, how it was decided and by whom, with which note,
// and what became of a yes.

import * as z from 'zod';
import { deciderOf } from '../hub/approval-rights.ts';
import type { ApprovalView } from '../hub/approval-views.ts';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import type { Hub } from '../hub/hub.ts';
import { defineView, pageSize } from './view.ts';

export const approvals = defineView({
  name: 'approvals',
  what: 'Approvals, the newest first, with the exact action, who may decide, the decision, its note and its use',
  input: { state: z.enum(['pending', 'any']).default('any'), limit: pageSize(50, 200) },
  async run({ hub, caller }, { state, limit }) {
    const listed = await hub.approvals.list(caller, { pending: state === 'pending', limit });
    return { approvals: listed.map((one) => renderApproval(one, hub)) };
  },
});
export type ApprovalsReply = Awaited<ReturnType<typeof approvals.run>>;

export function renderApproval(one: ApprovalView & { mine: boolean }, { context }: Pick<Hub, 'context'>) {
  return {
    approval_id: one.id,
    from: one.requester,
    action: one.action,
    digest: one.digest,
    risk: one.risk,
    /** The least right that decides it. */
    decides: deciderOf(one.risk, context.policy),
    /** Whether it waits for whoever looks. */
    yours: one.mine,
    reason: one.reason,
    ref: one.ref,
    state: one.state,
    requested_at: toIso(one.requestedAt),
    expires_at: toIso(one.expiresAt),
    decided_at: toIsoOrNull(one.decidedAt),
    decided_by: one.decider,
    decided_as: one.decidedAs,
    note: one.note,
    used_at: toIsoOrNull(one.consumedAt),
    used_by: one.consumer,
  };
}
