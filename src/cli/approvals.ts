// rookery approvals, approve and deny: what agents ask a person to allow, word for word, and the person's decision.

import type { Command } from 'commander';
import { decideApproval } from '../tools/decide-approval.ts';
import { type ApprovalsReply, approvals } from '../views/approvals.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { addList, type ListFlags, toLimit } from './listing.ts';
import { printSafeBlock, printSafeLine } from './print-safe.ts';

const PAGE = { usual: 100, most: 200 };

type Approval = ApprovalsReply['approvals'][number];
type DecideFlags = CommonFlags & { note?: string };

export function registerApprovals(program: Command): void {
  addList<ListFlags & { all?: boolean }, Approval, ApprovalsReply>(
    program,
    'approvals',
    { description: 'what agents ask to be allowed: exactly which act, who asks, until when', example: 'rookery approvals --all' },
    {
      of: 'approvals',
      read: ({ look }, { all, limit }) => look(approvals, { state: all === true ? 'any' : 'pending', limit: toLimit(limit, PAGE) }),
      page: PAGE,
      cells: ({ approval_id, risk, state, from, action }) => ({ approval: approval_id, risk, state, from, action }),
      print: (rows) => rows.flatMap(render),
      below: (_reply, rows) => [
        rows.some(({ yours, state }) => yours && state === 'pending') ? 'rookery approve ID or rookery deny ID decides one.' : undefined,
      ],
    },
  ).option('--all', 'decided ones, too');
  decision(program, 'approve', 'approved', 'allow exactly that act, once', 'after the tests are green');
  decision(program, 'deny', 'denied', 'refuse it', 'use the staging cluster');
}

function decision(program: Command, word: 'approve' | 'deny', state: string, what: string, note: string): void {
  addCommand(program, `${word} <approval>`, what, `rookery ${word} apr_… --note "${note}"`)
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

/** The whole action, every line marked: nothing that an agent wrote can pass for a line of ours. */
function render(approval: Approval): string[] {
  const { approval_id, risk, state, from, expires_at, decided_by, decided_at, used_by, used_at } = approval;
  const until = state === 'pending' || state === 'approved' ? ` until ${expires_at}` : '';
  const decided = decided_by === null ? '' : `, decided by ${decided_by} at ${decided_at}`;
  const used = used_by === null ? '' : `, used by ${used_by} at ${used_at}`;
  return [
    printSafeLine(`${approval_id}  ${risk} risk  ${state}${until}  asked by ${from}${decided}${used}`),
    printSafeBlock(approval.action),
    ...(approval.reason === '' ? [] : [`why:\n${printSafeBlock(approval.reason)}`]),
    ...(approval.ref === null ? [] : [printSafeLine(`about: ${approval.ref}`)]),
    ...(approval.note === null ? [] : [`note:\n${printSafeBlock(approval.note)}`]),
    '',
  ];
}
