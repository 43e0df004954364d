// What is said about tasks. Words of an agent (a title, a result, a reason) travel as that agent's message; the hub speaks of ids, names, states
// and times only, so that nobody's words ever come with the authority of the hub.

import { type AgentRow, findAgent, findAgentByName } from '../store/agents.ts';
import { closeOffer, insertOffer, type OfferKind } from '../store/task-offers.ts';
import { setAnnouncement, type TaskRow } from '../store/tasks.ts';
import { audienceOf } from './addresses.ts';
import { OPERATOR, senderOf } from './caller.ts';
import type { Act } from './command.ts';
import type { Posting } from './posting.ts';
import { settleMessage, withdrawMessage } from './settling.ts';
import { type Actor, traceparentOf } from './task-changes.ts';

/** How a message that tells of a task begins. */
const SUBJECTS: Readonly<Record<OfferKind, string>> = {
  assigned: 'task for you',
  offered: 'task you could do',
  handed: 'task handed to you',
};
/** How much of a body or a result a message carries; get_task has the whole. */
const EXCERPT = 2_000;

export class TaskNotices {
  readonly #posting: Posting;

  constructor(posting: Posting) {
    this.#posting = posting;
  }

  /** Tells an agent of a task that it may take, in the words of whoever wants it done. What it was told of before is withdrawn. */
  async announce(act: Act, task: TaskRow, to: AgentRow, from: AgentRow, kind: OfferKind, how: string): Promise<void> {
    await this.withdraw(act, task, 'told to another agent');
    await insertOffer(act.tx, { taskId: task.id, agentId: to.id, at: act.now, kind });
    if (to.id === from.id) return await setAnnouncement(act.tx, task.id, to.id, null, act.now);
    const needs = task.needs.length === 0 ? '' : `\nNeeds: ${task.needs.join(', ')}`;
    const sent = await this.#posting.post(
      act,
      senderOf(from),
      {
        to: [],
        subject: SUBJECTS[kind],
        body: `${task.title}${task.body === '' ? '' : `\n\n${excerpt(task.body)}`}${needs}\n\n${how}`,
        kind: 'request',
        urgent: task.priority === 'urgent',
        expectsReply: true,
        allowDuplicate: true,
        ref: task.id,
        traceparent: traceparentOf(task),
      },
      audienceOf([to]),
    );
    await setAnnouncement(act.tx, task.id, to.id, sent.message_id, act.now);
  }

  /** Asks an agent for its verdict on what was handed in, in the words of the author. Answers the message. */
  async askForReview(act: Act, task: TaskRow, reviewer: AgentRow, author: AgentRow, result: string): Promise<string> {
    const how = `submit_review({task_id: "${task.id}", revision: ${task.revision}, verdict, findings}) decides; no message does. get_task has the whole.`;
    const sent = await this.#posting.post(
      act,
      senderOf(author),
      {
        to: [],
        subject: `review of revision ${task.revision}`,
        body: `${task.title}\n\nResult: ${excerpt(result)}\n\n${how}`,
        kind: 'request',
        urgent: task.priority === 'urgent',
        expectsReply: true,
        allowDuplicate: true,
        ref: task.id,
        traceparent: traceparentOf(task),
      },
      audienceOf([reviewer]),
    );
    return sent.message_id;
  }

  /** The one who was told of it has dealt with it; if it was another, what that one was told is withdrawn. */
  async settle(act: Act, task: TaskRow, agentId: string, outcome: 'taken' | 'declined' = 'taken'): Promise<void> {
    if (task.announcedTo === null) return;
    if (task.announcedTo !== agentId) return await this.withdraw(act, task, 'the task was taken by another');
    if (task.announcementId !== null) await settleMessage(act, task.announcementId, agentId);
    await closeOffer(act.tx, task.id, agentId, outcome);
    await setAnnouncement(act.tx, task.id, null, null, act.now);
  }

  /** What somebody was told no longer holds. */
  async withdraw(act: Act, task: TaskRow, why: string, outcome: 'withdrawn' | 'lapsed' = 'withdrawn'): Promise<void> {
    if (task.announcedTo === null) return;
    if (task.announcementId !== null) await withdrawMessage(act, task.announcementId, task.announcedTo, 'recalled', why);
    await closeOffer(act.tx, task.id, task.announcedTo, outcome);
    await setAnnouncement(act.tx, task.id, null, null, act.now);
  }

  /** A notice of the hub, to each agent once; who caused it needs none. */
  async tell(act: Act, task: TaskRow, to: readonly (string | null)[], subject: string, body: string, but?: Actor): Promise<void> {
    const agents: AgentRow[] = [];
    for (const id of new Set(to)) {
      const agent = id === null || id === but?.agentId ? undefined : await findAgent(act.tx, id);
      if (agent !== undefined && agent.role !== 'hub') agents.push(agent);
    }
    await this.#posting.notify(act, agents, { subject, body, ref: task.id, traceparent: traceparentOf(task) });
  }

  /** A notice that is about no single task. */
  async tellOf(act: Act, agents: readonly AgentRow[], subject: string, body: string): Promise<void> {
    await this.#posting.notify(act, agents, { subject, body });
  }

  async tellOperator(act: Act, task: TaskRow, subject: string, body: string): Promise<void> {
    const operator = await findAgentByName(act.tx, act.projectId, OPERATOR);
    if (operator !== undefined) await this.tell(act, task, [operator.id], subject, body);
  }

  /** Words of an agent about a task, to those whom they concern. */
  async say(act: Act, task: TaskRow, from: Actor, to: readonly (string | null)[], subject: string, words: string): Promise<void> {
    const speaker = await findAgent(act.tx, from.agentId);
    if (speaker === undefined) return;
    const agents: AgentRow[] = [];
    for (const id of new Set(to)) {
      const agent = id === null || id === speaker.id ? undefined : await findAgent(act.tx, id);
      if (agent !== undefined) agents.push(agent);
    }
    if (agents.length === 0) return;
    const draft = {
      to: [],
      subject,
      body: excerpt(words),
      kind: 'status' as const,
      expectsReply: false,
      allowDuplicate: true,
      ref: task.id,
      traceparent: traceparentOf(task),
    };
    await this.#posting.post(act, senderOf(speaker, from.sessionId ?? speaker.id), draft, audienceOf(agents));
  }
}

/** The beginning of a long text, cut between characters. */
function excerpt(text: string): string {
  const characters = [...text];
  return characters.length <= EXCERPT ? text : `${characters.slice(0, EXCERPT).join('')}…\n(cut; get_task has the whole)`;
}
