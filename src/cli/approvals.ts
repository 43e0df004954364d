// rookery approvals, approve and deny: what agents ask a person to allow, word for word, and the person's decision.

import type { Command } from 'commander';
import type { ApprovalView } from '../hub/approval-views.ts';
import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { decideApproval } from '../tools/decide-approval.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { printSafeBlock, printSafeLine } from './print-safe.ts';

const ROWS = 100;

type DecideFlags = CommonFlags & { note?: string };

export function registerApprovals(program: Command): void {
  addCommand(program, 'approvals', 'what agents ask to be allowed: exactly which act, who asks, until when', 'rookery approvals --all')
    .option('--all', 'decided ones, too')
    .action(async (flags: CommonFlags & { all?: boolean }) => {
      await asOperator(flags, async ({ hub, caller, terminal }) => {
        const approvals = await hub.approvals.list(caller, { pending: flags.all !== true, limit: ROWS });
        if (flags.json === true) return terminal.json({ approvals: approvals.map((one) => ({ ...toFields(one), yours: one.mine })) });
        if (approvals.length === 0) terminal.line('  none');
        for (const approval of approvals) for (const line of render(approval)) terminal.line(line);
        if (approvals.some(({ mine }) => mine)) terminal.line('rookery approve ID or rookery deny ID decides one.');
      });
    });
  decision(program, 'approve', 'approved', 'allow exactly that act, once');
  decision(program, 'deny', 'denied', 'refuse it');
}

function decision(program: Command, word: 'approve' | 'deny', state: string, what: string): void {
  addCommand(program, `${word} <approval>`, what, `rookery ${word} apr_… --note "after the tests are green"`)
    .option('--note <text>', 'a word to whoever asked')
    .action(async (id: string, flags: DecideFlags) => {
      await asOperator(flags, async ({ hub, caller, call, terminal }) => {
        const result = await call(decideApproval, {
          approval_id: id,
          decision: word,
          ...(flags.note === undefined ? {} : { note: flags.note }),
        });
        const approval = await hub.approvals.find(caller, id);
        if (flags.json === true) return terminal.json({ ...result, action: approval.action });
        terminal.line(`${printSafeLine(approval.requester)} is told: ${state}, for exactly this:`);
        terminal.line(printSafeBlock(approval.action));
        if (typeof result.use_by === 'string') terminal.line(`It holds once, until ${result.use_by}.`);
      });
    });
}

function toFields(approval: ApprovalView) {
  return {
    id: approval.id,
    state: approval.state,
    risk: approval.risk,
    from: approval.requester,
    requested_at: toIso(approval.requestedAt),
    expires_at: toIso(approval.expiresAt),
    action: approval.action,
    digest: approval.digest,
    reason: approval.reason,
    ref: approval.ref,
    decided_by: approval.decider,
    decided_as: approval.decidedAs,
    decided_at: toIsoOrNull(approval.decidedAt),
    decision_note: approval.note,
    consumed_by: approval.consumer,
    consumed_at: toIsoOrNull(approval.consumedAt),
  };
}

/** The whole action, every line marked: nothing that an agent wrote can pass for a line of ours. */
function render(approval: ApprovalView): string[] {
  const until = approval.state === 'pending' || approval.state === 'approved' ? ` until ${toIso(approval.expiresAt)}` : '';
  const decided = approval.decider === null ? '' : `, decided by ${approval.decider} at ${toIso(approval.decidedAt ?? 0)}`;
  const used = approval.consumer === null ? '' : `, used by ${approval.consumer} at ${toIso(approval.consumedAt ?? 0)}`;
  const head = `${approval.id}  ${approval.risk} risk  ${approval.state}${until}  asked by ${approval.requester}${decided}${used}`;
  return [
    printSafeLine(head),
    printSafeBlock(approval.action),
    ...(approval.reason === '' ? [] : [`why:\n${printSafeBlock(approval.reason)}`]),
    ...(approval.ref === null ? [] : [printSafeLine(`about: ${approval.ref}`)]),
    '',
  ];
}
