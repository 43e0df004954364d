// decide_approval: say yes or no to what somebody else asked for.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { APPROVAL_STATES } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';

export const decideApproval = defineTool({
  name: 'decide_approval',
  title: 'Decide an approval',
  description: 'For managers: approve or deny what another agent asked for, having read its exact action. Final.',
  access: 'write',
  toolset: 'work',
  overseers: true,
  personal: true,
  input: () => ({
    approval_id: z.string().min(1).max(64),
    decision: z.enum(['approve', 'deny']),
    note: z.string().max(2_000).optional(),
  }),
  output: () => ({
    approval_id: z.string(),
    state: z.enum(APPROVAL_STATES),
    use_by: z.string().optional(),
  }),
  async run({ hub, caller, key, args }, input) {
    const state = input.decision === 'approve' ? 'approved' : 'denied';
    const intent = { tool: 'decide_approval', key, args };
    const decided = await hub.approvals.decide(caller, input.approval_id, { state, note: input.note }, intent);
    return {
      approval_id: input.approval_id,
      state: decided.state,
      ...(decided.useBy === null ? {} : { use_by: toIso(decided.useBy) }),
      ...(decided.replayed === true ? { replayed: true } : {}),
    };
  },
});
