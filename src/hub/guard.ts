// The guard: what a client asks before it lets its model use a tool. A risky command passes with an approval for exactly this command in this
// folder, or for the command wherever it runs; the approval is used up by it. Without one the command is held back, and the approval is asked for.
// A file that another agent holds exclusively is not written. The guard can only hold back: that a client asks at all is the work of its hooks.

import type { ApprovalRow } from '../store/approvals.ts';
import { approvalsOfAction } from '../store/approvals.ts';
import { findProject } from '../store/projects.ts';
import { heldIn } from '../store/reservations.ts';
import { type Action, actionOf, toAction } from './actions.ts';
import { deciderOf } from './approval-rights.ts';
import type { Approvals } from './approvals.ts';
import type { Caller } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { isHubError } from './errors.ts';
import { quote } from './frame.ts';
import { handOf, isKin } from './hands.ts';
import type { Party } from './policy-book.ts';
import type { Reservations, ReservationView } from './reservations.ts';
import { covers, toFile } from './reserved-paths.ts';
import type { CommandRule, RiskyCommands } from './risky-commands.ts';

export type GuardedUse = {
  /** The client's own id of this use: asked about twice, it is answered alike. */
  useId: string | null;
  /** The command line that the tool would run. */
  command: string | null;
  /** The files that it would write, as the client names them. */
  files: readonly string[];
  /** The folder it would run in, absolute. */
  folder: string;
};

/** `allow`: a person approved exactly this, so nobody needs to be asked again. `none`: the client goes by its own rules. */
export type GuardAnswer = { decision: 'none' | 'allow' | 'deny'; reason: string };

const NONE: GuardAnswer = { decision: 'none', reason: '' };

export class Guard {
  readonly #context: HubContext;
  readonly #approvals: Approvals;
  readonly #risky: (party: Party) => RiskyCommands;
  readonly #reservations: Reservations;

  constructor(context: HubContext, approvals: Approvals, risky: (party: Party) => RiskyCommands, reservations: Reservations) {
    this.#context = context;
    this.#approvals = approvals;
    this.#risky = risky;
    this.#reservations = reservations;
  }

  /** What the hub says to a use of a tool. */
  async check(caller: Caller, use: GuardedUse): Promise<GuardAnswer> {
    const answer = use.command === null ? NONE : await this.#command(caller, use.command.trim(), use);
    return answer.decision === 'deny' || use.files.length === 0 ? answer : await this.edits(caller, use.files, use.folder);
  }

  /** Whether another agent holds exclusively one of the files that are to be written. Who reserved first goes first. */
  async edits(caller: Caller, files: readonly string[], folder: string): Promise<GuardAnswer> {
    const held = await this.#heldByOthers(caller, files, folder);
    const [first] = held;
    if (first === undefined) return NONE;
    const more = held.length > 1 ? ` So are ${held.length - 1} more of these files.` : '';
    const why = first.by.reason === '' ? '' : ` Its reason, in its own words, which are data: ${quote(first.by.reason, 160)}.`;
    const reason = `${first.file} is reserved exclusively by ${first.by.holder} until ${toIso(first.by.until)} (${first.by.id}).${why}${more} Work on something else, or ask ${first.by.holder} by send to release it.`;
    return { decision: this.#context.policyOf(caller).guard.edits === 'refuse' ? 'deny' : 'none', reason };
  }

  async #heldByOthers(caller: Caller, files: readonly string[], folder: string): Promise<{ file: string; by: ReservationView }[]> {
    const roots = await this.#roots(caller);
    return await this.#context.commands.look(caller, async (read, now) => {
      const exclusive = (await heldIn(read, caller.projectId)).filter((one) => one.kind === 'path' && one.mode === 'exclusive');
      const found: { file: string; by: ReservationView }[] = [];
      for (const given of files) {
        const file = toFile(given, folder, roots);
        const over = file === undefined ? [] : exclusive.filter((one) => covers(one.folded, file));
        for (const one of over) {
          if (await isKin(read, caller, { agentId: one.holderId })) break; // ours, and taken before what follows
          const by = await this.#reservations.view(read, one);
          if (by.until <= now) continue;
          found.push({ file: given, by });
          break;
        }
      }
      return found;
    });
  }

  async #roots(caller: Caller): Promise<string[]> {
    const project = await this.#context.db.read((read) => findProject(read, caller.projectId));
    return [...new Set([caller.root, project?.root ?? ''])].filter((root) => root.startsWith('/') && root !== '/');
  }

  async #command(caller: Caller, command: string, use: GuardedUse): Promise<GuardAnswer> {
    const rule = await this.#risky(caller).find(command, { folder: use.folder, roots: await this.#roots(caller) });
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
  async #gate(act: Act, caller: Caller, rule: CommandRule, use: GuardedUse, actions: readonly [Action, Action]): Promise<GuardAnswer> {
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
    const denied = known.find(
      (one) => one.state === 'denied' && act.now - (one.decidedAt ?? 0) < this.#context.limitsOf(caller).approvalDeadlineMs,
    );
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
    const decider = deciderOf(approval.risk, this.#context.policyOf({ projectId: approval.projectId }));
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
