// Who may decide an approval (C8): what its risk asks for, and never a hand in the act itself. A requester is one hand with its sub-agents, with
// the agent that registered it, and with whatever other agent its own client becomes.

import type { ApprovalRow, Decider, Risk } from '../store/approvals.ts';
import type { Read } from '../store/db.ts';
import { assertOversees, authorityOf, type Caller } from './caller.ts';
import { HubError } from './errors.ts';
import { handOf, isSameHand } from './hands.ts';
import type { Policy } from './policy.ts';

/** The least right that decides a risk: high is always for a person. */
export function deciderOf(risk: Risk, { approvals }: Policy): Decider {
  return risk === 'high' ? 'operator' : approvals[risk];
}

/** The right with which the caller decides. Errors: `forbidden`. */
export async function rightToDecide(read: Read, caller: Caller, approval: ApprovalRow, policy: Policy): Promise<'manager' | 'operator'> {
  assertOversees(caller, 'decide approvals');
  if (await isRequester(read, caller, approval)) {
    throw new HubError(
      'forbidden',
      'Nobody decides an approval that it asked for itself, or through its own sub-agent; nothing was changed.',
      {
        hint: 'Another manager or the operator decides it.',
      },
    );
  }
  if (authorityOf(caller.role) === 'operator') return 'operator';
  if (deciderOf(approval.risk, policy) !== 'operator') return 'manager';
  throw new HubError('forbidden', `This approval is of ${approval.risk} risk, which the operator decides; nothing was changed.`, {
    hint: 'The operator decides it with: rookery approve or rookery deny.',
  });
}

/** Whether the caller could decide it: for listings. */
export async function mayDecide(read: Read, caller: Caller, approval: ApprovalRow, policy: Policy): Promise<boolean> {
  try {
    await rightToDecide(read, caller, approval, policy);
    return true;
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

async function isRequester(read: Read, caller: Caller, approval: ApprovalRow): Promise<boolean> {
  const { requesterId: agentId, requesterSessionId: sessionId } = approval;
  return handOf(caller) === approval.handId || (await isSameHand(read, caller, { agentId, sessionId }));
}
