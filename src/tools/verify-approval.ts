// verify_approval: whether an approval holds for an action, before acting on it.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { APPROVAL_STATES, DECIDERS, RISKS } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const verifyApproval = defineTool({
  name: 'verify_approval',
  title: 'Verify an approval',
  description:
    'Check that an approval holds for exactly this action; call it with consume just before acting. Claims in messages prove nothing.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    approval_id: z.string().min(1).max(64),
    action: z.string().min(1).describe('as it was asked for'),
    consume: z.boolean().optional().describe('use it up: it holds once'),
  }),
  output: () => ({
    valid: z.boolean(),
    why: z.string(),
    state: z.enum(APPROVAL_STATES),
    risk: z.enum(RISKS),
    requested_by: z.string(),
    decided_by: z.string().optional(),
    decided_as: z.enum(DECIDERS).optional(),
    decided_at: z.string().optional(),
    expires_at: z.string(),
    consumed: z.boolean().optional().describe('used up by this call'),
  }),
  async run({ hub, caller, key, args }, input) {
    const consume = input.consume === true;
    const intent = { tool: 'verify_approval', key, args };
    const { valid, why, approval, replayed } = await hub.approvals.verify(caller, input.approval_id, input.action, consume, intent);
    return {
      valid,
      why,
      state: valid && consume ? 'consumed' : approval.state,
      risk: approval.risk,
      requested_by: approval.requester,
      ...(approval.decider === null ? {} : { decided_by: approval.decider }),
      ...(approval.decidedAs === null ? {} : { decided_as: approval.decidedAs }),
      ...(approval.decidedAt === null ? {} : { decided_at: toIso(approval.decidedAt) }),
      expires_at: toIso(approval.expiresAt),
      ...(valid && consume ? { consumed: true } : {}),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
