// How requests for approval reach those who may decide them, what becomes of that message once they did, who is told, and the ends that time
// brings: what nobody decided in time counts as denied, and what was approved and not used in time holds no more (C8).

import { type AgentRow, findAgent, findAgentByName, listAgents } from '../store/agents.ts';
import { type ApprovalDraft, type ApprovalRow, expireApproval, findApproval, nextExpiry, overdueApprovals } from '../store/approvals.ts';
import { acknowledge, close, deliveriesOf, markDone } from '../store/deliveries.ts';
import { latestSession } from '../store/sessions.ts';
import { audienceOf } from './addresses.ts';
import { deciderOf } from './approval-rights.ts';
import { authorityOf, type Caller, OPERATOR } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { traceAcked } from './message-traces.ts';
import type { Posting } from './posting.ts';
import { isLive } from './presence.ts';

const ACTOR = { agentId: 'hub' };

export class ApprovalEnds {
  readonly #context: HubContext;
  readonly #posting: Posting;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /** Sends the request to those who may decide it. Answers the message's id. */
  async ask(act: Act, caller: Caller, approval: Omit<ApprovalDraft, 'messageId'>): Promise<string> {
    const deciders = await this.#deciders(act, approval);
    const draft = {
      to: [],
      subject: `approval, ${approval.risk} risk`,
      body: [
        `Action (exactly this, once):\n${approval.action}`,
        ...(approval.reason === '' ? [] : [`Why: ${approval.reason}`]),
        ...(approval.ref === null ? [] : [`About: ${approval.ref}`]),
      ].join('\n\n'),
      kind: 'request' as const,
      expectsReply: true,
      allowDuplicate: true,
      expiresInMs: approval.expiresAt - act.now,
      ref: approval.id,
    };
    return (await this.#posting.post(act, caller, draft, { ...audienceOf(deciders), byMembership: false })).message_id;
  }

  /** The word of whoever decided, in the thread of the request; the request needs no reply of anybody any more. */
  async tellDecision(
    act: Act,
    by: Caller,
    approval: ApprovalRow,
    decision: { state: 'approved' | 'denied'; note: string | null; useBy: number | null },
  ): Promise<void> {
    await this.#settle(act, approval, by);
    const requester = await findAgent(act.tx, approval.requesterId);
    if (requester === undefined) return;
    const words =
      decision.useBy === null
        ? `Denied: ${approval.id}.`
        : `Approved: ${approval.id}. It holds for exactly the action you asked for, once, until ${toIso(decision.useBy)}.`;
    await this.#posting.post(
      act,
      by,
      {
        to: [],
        subject: decision.state,
        body: decision.note === null ? words : `${words}\n\n${decision.note}`,
        kind: 'status',
        expectsReply: false,
        allowDuplicate: true,
        inReplyTo: approval.messageId ?? undefined,
        ref: approval.id,
      },
      audienceOf([requester]),
    );
  }

  /** Duty: what was not decided, or not used, in time. Found by a look at the database, so that no restart forgets one (T-5). */
  async expireDue(): Promise<number> {
    const { db, time, limits, commands } = this.#context;
    const overdue = await db.read((read) => overdueApprovals(read, time.now(), limits.dueBatch));
    const done = await Promise.all(
      overdue.map((candidate) =>
        commands.runAs(candidate.projectId, ACTOR, async (act) => {
          const approval = await findApproval(act.tx, candidate.projectId, candidate.id);
          return approval !== undefined && approval.expiresAt <= act.now && (await this.#expire(act, approval));
        }),
      ),
    );
    return done.filter(Boolean).length;
  }

  /** The next end, for the scheduler. */
  nextDue(): Promise<number | null> {
    return this.#context.instants.next(nextExpiry);
  }

  async #expire(act: Act, approval: ApprovalRow): Promise<boolean> {
    const { state } = approval;
    if (state !== 'pending' && state !== 'approved') return false;
    if (!(await expireApproval(act.tx, approval.id, state, act.now))) return false;
    await act.emit('approval.expired', approval.id, { from: state });
    if (state === 'pending') await this.#settle(act, approval, undefined);
    const requester = await findAgent(act.tx, approval.requesterId);
    if (requester !== undefined) {
      await this.#posting.notify(act, [requester], {
        subject: 'approval expired',
        body:
          state === 'pending'
            ? `Nobody decided ${approval.id} until ${toIso(approval.expiresAt)}: that counts as denied. Ask again if it is still needed.`
            : `The approval ${approval.id} was not used until ${toIso(approval.expiresAt)} and holds no more. Ask again if it is still needed.`,
        ref: approval.id,
      });
    }
    return true;
  }

  /** Nobody has to look at the request any more. */
  async #settle(act: Act, approval: ApprovalRow, by: Caller | undefined): Promise<void> {
    if (approval.messageId === null) return;
    for (const delivery of await deliveriesOf(act.tx, approval.messageId)) {
      const { messageId, recipientId } = delivery;
      if (recipientId === by?.agentId && (await acknowledge(act.tx, delivery, 'reply', act.now))) {
        await act.emit('message.acked', messageId, { by: by.name, how: 'reply', attempt: delivery.attempt });
        await traceAcked(act, delivery, 'reply');
      } else if (by === undefined) await close(act.tx, messageId, recipientId, 'expired', 'the deadline of the approval passed', act.now);
      else await close(act.tx, messageId, recipientId, 'recalled', `decided by ${by.name}`, act.now);
      await markDone(act.tx, messageId, recipientId, act.now);
    }
  }

  /** Managers where a manager may decide, as many as a message may have; the operator where it must, and where no manager is there to do it. */
  async #deciders(act: Act, approval: Omit<ApprovalDraft, 'messageId'>): Promise<AgentRow[]> {
    const { limits } = this.#context;
    const policy = this.#context.policyOf({ projectId: act.projectId });
    const operator = await findAgentByName(act.tx, act.projectId, OPERATOR);
    if (operator === undefined)
      throw new HubError('internal', 'The principal operator is missing from the project.', { hint: 'Run: rookery doctor' });
    if (deciderOf(approval.risk, policy) === 'operator') return [operator];
    const managers = (await listAgents(act.tx, act.projectId))
      .filter((agent) => authorityOf(agent.role) === 'manager' && agent.parentId === null)
      .filter(
        (agent) => agent.id !== approval.requesterId && agent.id !== approval.handId && act.now - agent.lastSeenAt <= limits.retireAfterMs,
      )
      .slice(0, limits.fanOut - 1);
    for (const manager of managers) if (isLive(this.#context, await latestSession(act.tx, manager.id))) return managers;
    return [...managers, operator];
  }
}
