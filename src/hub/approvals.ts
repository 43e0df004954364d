// Approvals: somebody with the right to decide says yes or no to exactly one act, and the yes holds once (C8).
//
//   pending -> approved | denied | expired,  approved -> consumed | expired
//
// A request travels as a message to whoever may decide; it is decided only by `decide`, never by what a message says, and the first decision to
// commit stands. What was approved is verified by id and by the action itself, and used once.

import { findAgentByName } from '../store/agents.ts';
import {
  type ApprovalRow,
  type ApprovalState,
  approvalsIn,
  approvalsOfAction,
  consumeApproval,
  countPendingBy,
  decideApproval,
  findApproval,
  insertApproval,
  pendingApprovals,
  RISKS,
  type Risk,
} from '../store/approvals.ts';
import type { Read } from '../store/db.ts';
import { type Action, toAction } from './actions.ts';
import type { ApprovalEnds } from './approval-ends.ts';
import { deciderOf, mayDecide, rightToDecide } from './approval-rights.ts';
import { type ApprovalView, decidedBefore, verdictOn, viewOf } from './approval-views.ts';
import { authorityOf, type Caller, HUB, oversees } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { handOf } from './hands.ts';
import type { Party } from './policy-book.ts';
import type { RiskyCommands } from './risky-commands.ts';
import type { WaitEnd } from './waiting.ts';

/** What may follow what. */
export const APPROVAL_TRANSITIONS: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['approved', 'denied', 'expired'],
  approved: ['consumed', 'expired'],
  denied: [],
  expired: [],
  consumed: [],
};

/** More than a hand may have open for one action. */
const STANDING_LOOKED_AT = 50;

export type ApprovalRequest = {
  action: Action;
  risk: Risk;
  reason?: string | undefined;
  ref?: string | undefined;
  deadlineMs?: number | undefined;
};

/** What the receiver of an approval is told. */
export type Verdict = { valid: boolean; why: string; approval: ApprovalView };

export class Approvals {
  readonly #context: HubContext;
  readonly #ends: ApprovalEnds;
  readonly #risky: (party: Party) => RiskyCommands;

  constructor(context: HubContext, ends: ApprovalEnds, risky: (party: Party) => RiskyCommands) {
    this.#context = context;
    this.#ends = ends;
    this.#risky = risky;
  }

  /** Asks for an approval, at the risk that the rules give the command at least. What stands for the same action already is answered instead. Errors: `limit_reached`, `forbidden` for the operator. */
  async request(
    caller: Caller,
    request: Omit<ApprovalRequest, 'action'> & { action: string },
    intent: Intent,
  ): Promise<{ approvalId: string; standing: boolean; replayed?: boolean }> {
    const action = toAction(request.action, this.#context.limits);
    const rule = await this.#risky(caller).find(action.text, { folder: caller.root, roots: [caller.root] });
    const risk = rule !== undefined && RISKS.indexOf(rule.risk) > RISKS.indexOf(request.risk) ? rule.risk : request.risk;
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const standing = await this.standing(act, caller, action.digest, risk);
      const own = standing.find((one) => one.requesterId === caller.agentId);
      if (own !== undefined) return { approvalId: own.id, standing: true };
      const opened = await this.open(act, caller, { ...request, risk, action });
      return { approvalId: opened.id, standing: false };
    });
  }

  /** What is pending or approved, in time, for this action by this caller's hand, at this risk or a higher one: approved ones first, then the lowest. */
  async standing(act: Act, caller: Caller, digest: string, risk: Risk): Promise<ApprovalRow[]> {
    const rows = await approvalsOfAction(act.tx, handOf(caller), digest, STANDING_LOOKED_AT);
    return rows
      .filter((one) => (one.state === 'pending' || one.state === 'approved') && one.expiresAt > act.now)
      .filter((one) => riskOf(one) >= riskOf({ risk }))
      .sort(
        (a, b) => Number(b.state === 'approved') - Number(a.state === 'approved') || riskOf(a) - riskOf(b) || a.requestedAt - b.requestedAt,
      );
  }

  /** Enters a request, asks whoever may decide it, or decides it by policy at once. */
  async open(act: Act, caller: Caller, request: ApprovalRequest): Promise<ApprovalRow> {
    if (authorityOf(caller.role) === 'operator') {
      throw new HubError('forbidden', 'The operator decides approvals and needs none; nothing was asked.', {
        hint: 'Agents ask; rookery approvals lists what they ask for.',
      });
    }
    const { ids } = this.#context;
    const limits = this.#context.limitsOf(caller);
    const policy = this.#context.policyOf(caller);
    const pending = await countPendingBy(act.tx, caller.agentId);
    if (pending >= limits.pendingApprovals) {
      throw new HubError(
        'limit_reached',
        `You wait for ${pending} approvals, the limit is ${limits.pendingApprovals}; nothing was asked.`,
        {
          hint: 'Wait until some are decided or have expired.',
        },
      );
    }
    const expiresAt = act.now + (request.deadlineMs ?? limits.approvalDeadlineMs);
    const draft = {
      id: ids.next('apr'),
      projectId: act.projectId,
      requesterId: caller.agentId,
      requesterSessionId: caller.sessionId,
      handId: handOf(caller),
      action: request.action.text,
      digest: request.action.digest,
      risk: request.risk,
      reason: wellFormed(request.reason ?? ''),
      ref: request.ref ?? null,
      requestedAt: act.now,
      expiresAt,
    };
    const byPolicy = deciderOf(request.risk, policy) === 'policy';
    const messageId = byPolicy ? null : await this.#ends.ask(act, caller, draft);
    await insertApproval(act.tx, { ...draft, messageId });
    await act.emit('approval.requested', draft.id, { by: caller.name, risk: draft.risk, digest: draft.digest, expires_at: expiresAt });
    if (byPolicy) {
      const hub = await findAgentByName(act.tx, act.projectId, HUB);
      if (hub === undefined)
        throw new HubError('internal', 'The principal hub is missing from the project.', { hint: 'Run: rookery doctor' });
      await this.#record(act, draft.id, { state: 'approved', by: { id: hub.id, name: HUB }, as: 'policy', note: null });
    }
    const approval = await findApproval(act.tx, act.projectId, draft.id);
    if (approval === undefined) throw new Error('an approval vanished in its own transaction');
    return approval;
  }

  /** Waits until it is no longer pending. Answers how it stands then. */
  async await(caller: Caller, approvalId: string, ms: number, signal?: AbortSignal): Promise<{ approval: ApprovalView; end: WaitEnd }> {
    const { end, value } = await this.#context.waiting.until(ms, signal, async () => {
      const approval = await this.find(caller, approvalId);
      return approval.state === 'pending' ? { again: Math.max(1, approval.expiresAt - this.#context.time.now()) } : { found: approval };
    });
    return { approval: value ?? (await this.find(caller, approvalId)), end };
  }

  /**
   * Approves or denies. Errors: `not_found`, `forbidden` for whoever has not the right or a hand in it, `conflict` naming the first decision,
   * `expired` when its time is over.
   */
  async decide(
    caller: Caller,
    approvalId: string,
    decision: { state: 'approved' | 'denied'; note?: string | undefined },
    intent: Intent,
  ): Promise<{ state: ApprovalState; useBy: number | null; replayed?: boolean }> {
    const { commands } = this.#context;
    const policy = this.#context.policyOf({ projectId: caller.projectId });
    return await commands.run(caller, intent, async (act) => {
      const approval = await findApproval(act.tx, act.projectId, approvalId);
      if (approval === undefined || !oversees(caller)) throw missing(approvalId);
      const as = await rightToDecide(act.tx, caller, approval, policy);
      if (approval.state !== 'pending') throw decidedBefore(await viewOf(act.tx, approval));
      if (approval.expiresAt <= act.now) {
        throw new HubError('expired', `This request ended at ${toIso(approval.expiresAt)} and counts as denied; nothing was changed.`, {
          hint: 'Who needs it asks again.',
        });
      }
      const note = decision.note === undefined ? null : wellFormed(decision.note);
      await this.#record(act, approval.id, { state: decision.state, by: { id: caller.agentId, name: caller.name }, as, note });
      const limits = this.#context.limitsOf({ projectId: act.projectId, agentId: approval.requesterId });
      const useBy = decision.state === 'approved' ? act.now + limits.approvalUseMs : null;
      await this.#ends.tellDecision(act, caller, approval, { ...decision, note, useBy });
      return { state: decision.state, useBy };
    });
  }

  /**
   * Says whether this approval holds for this action, decided by whom and when; `consume` uses it up, once. Whoever knows id and action may ask;
   * others learn nothing (C16). Errors: `not_found`.
   */
  async verify(
    caller: Caller,
    approvalId: string,
    action: string,
    consume: boolean,
    intent: Intent,
  ): Promise<Verdict & { replayed?: boolean }> {
    const { digest } = toAction(action, this.#context.limits);
    if (!consume)
      return await this.#context.commands.look(caller, async (read, now) => await this.#judge(read, now, caller, approvalId, digest));
    return await this.#context.commands.run(caller, intent, async (act) => {
      const verdict = await this.#judge(act.tx, act.now, caller, approvalId, digest);
      if (verdict.valid) await this.use(act, caller, verdict.approval, null);
      return verdict;
    });
  }

  /** Uses up an approval that was just found approved and in time. */
  async use(act: Act, caller: Caller, approval: ApprovalRow, use: string | null): Promise<void> {
    if (!(await consumeApproval(act.tx, approval.id, caller.agentId, use, act.now)))
      throw new Error('an approval was used by another within one transaction');
    await act.emit('approval.consumed', approval.id, { by: caller.name, digest: approval.digest });
  }

  /** An approval of the caller's, or that it oversees. */
  async find(caller: Caller, approvalId: string): Promise<ApprovalView> {
    return await this.#context.commands.look(caller, async (read) => {
      const approval = await findApproval(read, caller.projectId, approvalId);
      if (approval === undefined || !(isOf(caller, approval) || oversees(caller))) throw missing(approvalId);
      return await viewOf(read, approval);
    });
  }

  /** Approvals of the project for those who oversee it: pending ones, or of any state. `mine`: whether the caller may decide it. */
  async list(caller: Caller, query: { pending: boolean; limit: number }): Promise<(ApprovalView & { mine: boolean })[]> {
    if (!oversees(caller)) return [];
    return await this.#context.commands.look(caller, async (read) => {
      const rows = query.pending
        ? await pendingApprovals(read, caller.projectId, query.limit)
        : await approvalsIn(read, caller.projectId, query.limit);
      const views: (ApprovalView & { mine: boolean })[] = [];
      for (const row of rows) {
        const mine =
          row.state === 'pending' && (await mayDecide(read, caller, row, this.#context.policyOf({ projectId: caller.projectId })));
        views.push({ ...(await viewOf(read, row)), mine });
      }
      return views;
    });
  }

  async #record(
    act: Act,
    id: string,
    decision: {
      state: 'approved' | 'denied';
      by: { id: string; name: string };
      as: 'policy' | 'manager' | 'operator';
      note: string | null;
    },
  ): Promise<void> {
    const { state, by, as, note } = decision;
    const expiresAt = act.now + this.#context.limitsOf({ projectId: act.projectId }).approvalUseMs;
    if (!(await decideApproval(act.tx, id, { state, by: by.id, as, note, expiresAt }, act.now)))
      throw new Error('an approval was decided by another within one transaction');
    await act.emit(`approval.${state}`, id, { by: by.name, as });
  }

  async #judge(read: Read, now: number, caller: Caller, approvalId: string, digest: string): Promise<Verdict> {
    const row = await findApproval(read, caller.projectId, approvalId);
    const known = row !== undefined && (row.digest === digest || isOf(caller, row) || oversees(caller));
    if (!known) throw unknown(approvalId);
    const approval = await viewOf(read, row);
    return { ...verdictOn(approval, digest, now), approval };
  }
}

const riskOf = ({ risk }: Pick<ApprovalRow, 'risk'>): number => RISKS.indexOf(risk);

/** Whether the caller asked for it, itself or in whose session it was asked. */
function isOf(caller: Caller, approval: ApprovalRow): boolean {
  return approval.requesterId === caller.agentId || approval.handId === caller.agentId;
}

function missing(approvalId: string): HubError {
  return new HubError('not_found', `There is no approval ${approvalId.slice(0, 40)} that you asked for or may decide.`, {
    hint: 'get_open_threads lists them.',
  });
}

/** One sentence for a wrong id and for a wrong action: whoever tries some learns nothing. */
function unknown(approvalId: string): HubError {
  return new HubError('not_found', `No approval ${approvalId.slice(0, 40)} of yours, for exactly this action, or yours to decide.`, {
    hint: 'request_approval and get_open_threads print ids; the action must be given exactly as it was asked for.',
  });
}
