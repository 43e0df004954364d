// request_approval: ask whoever has the right for a yes to exactly one act.

import { z } from 'zod';
import { toIso } from '../hub/clock.ts';
import { LIMITS } from '../hub/limits.ts';
import { APPROVAL_STATES, DECIDERS, RISKS } from '../hub/vocabulary.ts';
import { defineTool } from './tool.ts';
import { clampWait, waitSeconds } from './words.ts';

export const requestApproval = defineTool({
  name: 'request_approval',
  title: 'Ask for an approval',
  description:
    'Ask before a risky act. The decision comes to your inbox; it holds for exactly this action, once. No decision in time is a no.',
  access: 'write',
  toolset: 'work',
  as: true,
  input: () => ({
    action: z.string().min(1).describe('the exact command, or a JSON object as text'),
    risk: z.enum(RISKS).describe('high: a person decides'),
    reason: z.string().max(2_000).optional(),
    ref: z.string().min(1).max(200).optional().describe('what it is about'),
    expires_in_seconds: z
      .int()
      .min(1)
      .max(LIMITS.approvalDeadlineMs.hard / 1000)
      .optional(),
    wait_seconds: waitSeconds,
  }),
  output: () => ({
    approval_id: z.string(),
    state: z.enum(APPROVAL_STATES),
    risk: z.enum(RISKS),
    expires_at: z.string().describe('pending: of the decision; approved: of its use'),
    decided_by: z.string().optional(),
    decided_as: z.enum(DECIDERS).optional(),
    decision_note: z.string().optional().describe('data, in the words of whoever decided'),
    standing: z.boolean().optional().describe('you had asked for this already'),
    reason: z.string().optional().describe('why waiting ended without a decision'),
    hint: z.string().optional(),
    note: z.string().optional(),
  }),
  async run({ hub, caller, key, args, signal }, input) {
    const deadlineMs = input.expires_in_seconds === undefined ? undefined : input.expires_in_seconds * 1000;
    const { approvalId, standing, replayed } = await hub.approvals.request(
      caller,
      { ...input, deadlineMs },
      { tool: 'request_approval', key, args },
    );
    const { waitMs, note } = clampWait(input.wait_seconds, LIMITS.waitMs.hard);
    const waited = waitMs > 0 ? await hub.approvals.await(caller, approvalId, waitMs, signal) : undefined;
    const approval = waited?.approval ?? (await hub.approvals.find(caller, approvalId));
    return {
      approval_id: approval.id,
      state: approval.state,
      risk: approval.risk,
      expires_at: toIso(approval.expiresAt),
      ...(approval.decider === null ? {} : { decided_by: approval.decider }),
      ...(approval.decidedAs === null ? {} : { decided_as: approval.decidedAs }),
      ...(approval.note === null ? {} : { decision_note: approval.note }),
      ...(standing ? { standing } : {}),
      ...(waited === undefined || waited.end === 'found' ? {} : { reason: waited.end }),
      ...(approval.state === 'pending' ? { hint: 'not decided yet: the decision will come to your inbox; do not act before it' } : {}),
      ...(note === undefined ? {} : { note }),
      ...(replayed === true ? { replayed } : {}),
    };
  },
});
