// The guard: what a client asks before it lets its model use a tool. A risky command passes with an approval for exactly this command in this
// folder, or for the command wherever it runs; the approval is used up by it. Without one the command is held back, and the approval is asked for.
// It can only hold back: that a client asks at all is the work of its hooks.

import type { ApprovalRow } from '../store/approvals.ts';
import { approvalsOfAction } from '../store/approvals.ts';
import { findProject } from '../store/projects.ts';
import { type Action, actionOf, toAction } from './actions.ts';
import { deciderOf } from './approval-rights.ts';
import type { Approvals } from './approvals.ts';
import type { Caller } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { isHubError } from './errors.ts';
import { handOf } from './hands.ts';
import type { CommandRule, RiskyCommands } from './risky-commands.ts';

export type ToolUse = {
  /** The client's own id of this use: asked about twice, it is answered alike. */
  useId: string | null;
  /** The command line that the tool would run. */
  command: string | null;
  /** The folder it would run in, absolute. */
  folder: string;
};

/** `allow`: a person approved exactly this, so nobody needs to be asked again. `none`: the client goes by its own rules. */
export type GuardAnswer = { decision: 'none' | 'allow' | 'deny'; reason: string };

const NONE: GuardAnswer = { decision: 'none', reason: '' };

export class Guard {
  readonly #context: HubContext;
  readonly #approvals: Approvals;
  readonly #risky: RiskyCommands;

  constructor(context: HubContext, approvals: Approvals, risky: RiskyCommands) {
    this.#context = context;
    this.#approvals = approvals;
    this.#risky = risky;
  }

  /** What the hub says to a use of a tool. */
  async check(caller: Caller, use: ToolUse): Promise<GuardAnswer> {
    return use.command === null ? NONE : await this.#command(caller, use.command.trim(), use);
  }

  async #command(caller: Caller, command: string, use: ToolUse): Promise<GuardAnswer> {
    const project = await this.#context.db.read((read) => findProject(read, caller.projectId));
    const roots = [...new Set([caller.root, project?.root ?? ''])].filter((root) => root.startsWith('/') && root !== '/');
    const rule = await this.#risky.find(command, { folder: use.folder, roots });
    if (rule === undefined) return NONE;
    try {
      const here = toAction(actionText(command, use.folder), this.#context.limits);
      return await this.#context.commands.run(caller, { tool: 'guard' }, (act) =>
        this.#gate(act, caller, rule, use, [here, actionOf(command)]),
      );
    } catch (error) {
      // A refusal of the hub (too long, too many open requests) is no reason to let a risky command pass.
      if (isHubError(error) && error.code !== 'internal' && error.code !== 'unavailable')
        return { decision: 'deny', reason: `The hub holds this command back: it ${rule.why}. ${error.message} ${error.hint ?? ''}` };
      throw error;
    }
  }

  /** `actions`: the command in this folder, and the command wherever it runs. */
  async #gate(act: Act, caller: Caller, rule: CommandRule, use: ToolUse, actions: readonly [Action, Action]): Promise<GuardAnswer> {
    const known: ApprovalRow[] = [];
    for (const { digest } of actions) known.push(...(await approvalsOfAction(act.tx, handOf(caller), digest, 50)));
    const again = known.find((one) => use.useId !== null && one.consumedFor === use.useId);
    if (again !== undefined) return passed(again);
    const standing: ApprovalRow[] = [];
    for (const { digest } of actions) standing.push(...(await this.#approvals.standing(act, caller, digest, rule.risk)));
    const approved = standing.find(({ state }) => state === 'approved');
    if (approved !== undefined) {
      await this.#approvals.use(act, caller, approved, use.useId);
      return passed(approved);
    }
    const [pending] = standing;
    if (pending !== undefined) return this.#hold(rule, pending, 'is asked for and not decided yet');
    const denied = known.find((one) => one.state === 'denied' && act.now - (one.decidedAt ?? 0) < this.#context.limits.approvalDeadlineMs);
    if (denied !== undefined) return { decision: 'deny', reason: deniedReason(rule, denied) };
    const opened = await this.#approvals.open(act, caller, {
      action: actions[0],
      risk: rule.risk,
      reason: `It ${rule.why} (rule: ${rule.name}).`,
    });
    if (opened.state !== 'approved') return this.#hold(rule, opened, 'is now asked for');
    await this.#approvals.use(act, caller, opened, use.useId);
    return passed(opened);
  }

  #hold(rule: CommandRule, approval: ApprovalRow, how: string): GuardAnswer {
    const decider = deciderOf(approval.risk, this.#context.policy);
    const who = decider === 'operator' ? 'the operator (rookery approve)' : 'a manager or the operator';
    return {
      decision: 'deny',
      reason: `The hub holds this command back: it ${rule.why}. Approval ${approval.id} ${how}; ${who} decides it until ${toIso(approval.expiresAt)}. You will be told in your inbox. Once it is approved, run exactly the same command in the same folder. Go on with something else meanwhile.`,
    };
  }
}

/** The action of a command in a folder, as whoever decides reads it. The first line is a comment to the shell. */
export function actionText(command: string, folder: string): string {
  return `# in ${/^[\x21-\x7e]+$/.test(folder) ? folder : JSON.stringify(folder)}\n${command}`;
}

function passed(approval: ApprovalRow): GuardAnswer {
  const reason = `Approval ${approval.id} holds for exactly this command and is used by it.`;
  return approval.decidedAs === 'operator' ? { decision: 'allow', reason } : { decision: 'none', reason };
}

function deniedReason(rule: CommandRule, approval: ApprovalRow): string {
  return `The hub holds this command back: it ${rule.why}, and the ${approval.decidedAs} denied it at ${toIso(approval.decidedAt ?? 0)} (${approval.id}). Do it another way, or ask with request_approval and a better reason.`;
}
