// Asks: questions that never end in silence (C7).
//
//   open -> answered | declined | cancelled | expired
//
// A question travels as a message, so it is shown and acknowledged like any other; the ask itself stays open until one of its ends. The first
// end to commit wins. Every end reaches the asker's inbox, and its call if it waits. Answers that come later are kept beside the ask.

import { type AgentRow, findAgent } from '../store/agents.ts';
import {
  type AskRow,
  type AskState,
  asksBy,
  asksIn,
  asksToAbsent,
  closeAsk,
  countOpenAsks,
  findAsk,
  insertAsk,
  insertLateAnswer,
  lateAnswers,
  markAbsenceTold,
  nextDeadline,
  overdueAsks,
} from '../store/asks.ts';
import type { Read } from '../store/db.ts';
import { acknowledge, close, findDelivery, markDone } from '../store/deliveries.ts';
import { audienceOf, resolveAudience } from './addresses.ts';
import { type Caller, oversees } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Posting } from './posting.ts';
import type { WaitEnd } from './waiting.ts';

/** What may follow what. Every end is final. */
export const ASK_TRANSITIONS: Readonly<Record<AskState, readonly AskState[]>> = {
  open: ['answered', 'declined', 'cancelled', 'expired'],
  answered: [],
  declined: [],
  cancelled: [],
  expired: [],
};

export type Question = {
  to: string;
  question: string;
  options?: readonly string[] | undefined;
  multi?: boolean | undefined;
  context?: string | undefined;
  deadlineMs?: number | undefined;
};

export type AskView = AskRow & { asker: string; target: string; late: { at: number; answer: string[] }[] };

const ACTOR = { agentId: 'hub' };

export class Asks {
  readonly #context: HubContext;
  readonly #posting: Posting;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /** Asks one agent or the operator. Errors: `invalid_input` (oneself, several), `limit_reached` (open asks), those of a send. */
  async ask(
    caller: Caller,
    question: Question,
    intent: Intent,
  ): Promise<{ askId: string; messageId: string; deadlineAt: number; replayed?: boolean }> {
    const { limits } = this.#context;
    const deadlineMs = question.deadlineMs ?? limits.askDeadlineMs;
    return await this.#context.commands.run(caller, intent, async (act) => {
      const audience = await resolveAudience(act.tx, caller, question.to, act.now, limits);
      const [target] = audience.recipients;
      if (target === undefined || audience.recipients.length > 1 || audience.byMembership) {
        throw new HubError('invalid_input', 'to: an ask goes to one agent or to operator; nothing was asked.', {
          hint: 'Use send for several.',
        });
      }
      if (target.id === caller.agentId)
        throw new HubError('invalid_input', 'to: you cannot ask yourself; nothing was asked.', {
          hint: 'remind lets you come back to something.',
        });
      const open = await countOpenAsks(act.tx, caller.agentId);
      if (open >= limits.pendingAsks) {
        throw new HubError('limit_reached', `You have ${open} open asks, the limit is ${limits.pendingAsks}; nothing was asked.`, {
          hint: 'Cancel some with cancel_ask, or wait for answers.',
        });
      }
      return await this.#open(act, caller, target, question, deadlineMs);
    });
  }

  /** Waits for the end of an ask. Answers how it stands then. */
  async await(caller: Caller, askId: string, ms: number, signal?: AbortSignal): Promise<{ ask: AskView; end: WaitEnd }> {
    const look = () => this.find(caller, askId);
    const { end, value } = await this.#context.waiting.until(ms, signal, async () => {
      const ask = await look();
      return ask.state === 'open' ? { again: Math.max(1, ask.deadlineAt - this.#context.time.now()) } : { found: ask };
    });
    return { ask: value ?? (await look()), end };
  }

  /**
   * The target's answer, or its refusal with a reason. The first end counts; an answer after it is kept as late. Errors: `not_found` for an ask
   * that is not the caller's to answer, `expired` when it was cancelled.
   */
  async answer(
    caller: Caller,
    askId: string,
    given: { answer?: readonly string[] | undefined; reason?: string | undefined },
    intent: Intent,
  ): Promise<{ state: AskState; answer: string[] | null; late: boolean; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const ask = await findAsk(act.tx, act.projectId, askId);
      if (ask === undefined || ask.targetId !== caller.agentId) {
        throw new HubError('not_found', `No ask ${askId.slice(0, 40)} that was put to you; nothing was recorded.`, {
          hint: 'get_open_threads lists what you are asked.',
        });
      }
      const answer = given.answer === undefined ? null : [...given.answer];
      if (answer !== null && answer.length > 1 && !ask.multi) {
        throw new HubError('invalid_input', 'answer: this ask takes one answer; nothing was recorded.', { hint: 'Give one text.' });
      }
      if (ask.state === 'cancelled')
        throw new HubError('expired', 'This ask was withdrawn by its asker; nothing was recorded.', {
          hint: 'Send a message if it still matters.',
        });
      if (ask.state !== 'open' || ask.deadlineAt <= act.now) return await this.#late(act, caller, ask, answer);
      const state = answer === null ? 'declined' : 'answered';
      await closeAsk(act.tx, ask.id, { state, answer, reason: given.reason ?? null, by: caller.agentId }, act.now);
      await act.emit(`ask.${state}`, ask.id, { by: caller.name });
      await this.#settle(act, ask);
      await this.#tell(act, caller, ask, {
        subject: state === 'answered' ? 'answer' : 'declined',
        body: answer === null ? `Declined: ${given.reason ?? 'no reason given'}` : answer.join('\n'),
      });
      return { state, answer, late: false };
    });
  }

  /** The asker withdraws; managers and the operator may, too. Again is harmless. Errors: `not_found`, `conflict` when it ended otherwise. */
  async cancel(caller: Caller, askId: string, intent: Intent): Promise<{ state: AskState; replayed?: boolean }> {
    return await this.#context.commands.run(caller, intent, async (act) => {
      const ask = await findAsk(act.tx, act.projectId, askId);
      if (ask === undefined || (ask.askerId !== caller.agentId && !oversees(caller))) {
        throw new HubError('not_found', `No ask ${askId.slice(0, 40)} of yours; nothing was changed.`, {
          hint: 'list_my_asks shows them.',
        });
      }
      if (ask.state === 'cancelled') return { state: ask.state };
      if (ask.state !== 'open')
        throw new HubError('conflict', `This ask is already ${ask.state}; nothing was changed.`, {
          hint: 'list_my_asks shows how it ended.',
        });
      await closeAsk(act.tx, ask.id, { state: 'cancelled', answer: null, reason: null, by: caller.agentId }, act.now);
      await act.emit('ask.cancelled', ask.id, { by: caller.name });
      await this.#withdraw(act, ask, caller);
      return { state: 'cancelled' };
    });
  }

  /** An ask that the caller put, was put, or may oversee. */
  async find(caller: Caller, askId: string): Promise<AskView> {
    return await this.#context.commands.look(caller, async (read) => {
      const ask = await findAsk(read, caller.projectId, askId);
      if (ask !== undefined && (ask.askerId === caller.agentId || ask.targetId === caller.agentId || oversees(caller)))
        return await this.view(read, ask);
      throw new HubError('not_found', `No ask ${askId.slice(0, 40)} of yours or to you.`, {
        hint: 'list_my_asks and get_open_threads list them.',
      });
    });
  }

  /** The caller's own asks, newest first; with `everybody`, all of the project, for those who oversee it. */
  async list(caller: Caller, query: { state: AskState | null; everybody?: boolean; limit: number }): Promise<AskView[]> {
    return await this.#context.commands.look(caller, async (read) => {
      const all = query.everybody === true && oversees(caller);
      const rows = all
        ? await asksIn(read, caller.projectId, query.state, query.limit)
        : await asksBy(read, caller.agentId, query.state, query.limit);
      return await Promise.all(rows.map((ask) => this.view(read, ask)));
    });
  }

  async view(read: Read, ask: AskRow): Promise<AskView> {
    const name = async (id: string) => (await findAgent(read, id))?.name ?? 'unknown';
    return {
      ...ask,
      asker: await name(ask.askerId),
      target: await name(ask.targetId),
      late: ask.state === 'open' ? [] : await lateAnswers(read, ask.id),
    };
  }

  /** Duty: asks whose deadline passed end, found by a look at the database, so that no restart forgets one (T-5). */
  async expireDue(): Promise<number> {
    const overdue = await this.#context.db.read((read) => overdueAsks(read, this.#context.time.now(), this.#context.limits.dueBatch));
    return await this.#each(overdue, async (act, ask) => {
      if (ask.deadlineAt > act.now) return;
      await closeAsk(act.tx, ask.id, { state: 'expired', answer: null, reason: 'its deadline passed', by: 'hub' }, act.now);
      await act.emit('ask.expired', ask.id, {});
      await this.#withdraw(act, ask, undefined);
      await this.#tellAsker(
        act,
        ask,
        'expired',
        `Your ask ${ask.id} to ${await this.#name(act, ask.targetId)} ended without an answer: its deadline ${toIso(ask.deadlineAt)} passed. Ask again, ask somebody else, or decide yourself.`,
      );
    });
  }

  /** Duty: an asker learns once that its target is gone; the ask stays open until its deadline. */
  async tellAbsent(): Promise<number> {
    const before = this.#context.time.now() - this.#context.limits.askAbsenceMs;
    const asks = await this.#context.db.read((read) => asksToAbsent(read, before, this.#context.limits.dueBatch));
    return await this.#each(asks, async (act, ask) => {
      if (ask.absenceToldAt !== null) return;
      await markAbsenceTold(act.tx, ask.id, act.now);
      const target = await findAgent(act.tx, ask.targetId);
      await this.#tellAsker(
        act,
        ask,
        'target is gone',
        `${target?.name ?? 'The target'} of your ask ${ask.id} has not been connected since ${toIso(target?.lastSeenAt ?? ask.askedAt)}. The ask stays open until ${toIso(ask.deadlineAt)}; it is shown to ${target?.name ?? 'it'} on return.`,
      );
    });
  }

  /** The next deadline, for the scheduler. */
  nextDue(): Promise<number | null> {
    return this.#context.db.read(nextDeadline);
  }

  async #open(act: Act, caller: Caller, target: AgentRow, question: Question, deadlineMs: number) {
    const id = this.#context.ids.next('ask');
    const options = [...(question.options ?? [])];
    const choice =
      options.length === 0
        ? ''
        : `\n\nOptions (${question.multi === true ? 'any of' : 'one of'}; other answers are welcome): ${options.join(' | ')}`;
    const body = `${question.question}${question.context === undefined ? '' : `\n\nContext: ${question.context}`}${choice}`;
    const draft = {
      to: [],
      body,
      subject: 'ask',
      kind: 'request' as const,
      expectsReply: true,
      allowDuplicate: true,
      expiresInMs: deadlineMs,
      ref: id,
    };
    const sent = await this.#posting.post(act, caller, draft, { ...audienceOf([target]), byMembership: false, always: false });
    const deadlineAt = act.now + deadlineMs;
    await insertAsk(act.tx, {
      id,
      projectId: act.projectId,
      askerId: caller.agentId,
      targetId: target.id,
      messageId: sent.message_id,
      threadId: sent.thread_id,
      question: question.question,
      options,
      multi: question.multi === true,
      state: 'open',
      askedAt: act.now,
      deadlineAt,
      answer: null,
      reason: null,
      closedAt: null,
      closedBy: null,
      absenceToldAt: null,
    });
    await act.emit('ask.opened', id, { from: caller.name, to: target.name, deadline_at: deadlineAt, message_id: sent.message_id });
    return { askId: id, messageId: sent.message_id, deadlineAt };
  }

  async #late(
    act: Act,
    caller: Caller,
    ask: AskRow,
    answer: string[] | null,
  ): Promise<{ state: AskState; answer: string[] | null; late: boolean }> {
    if (answer === null) return { state: ask.state === 'open' ? 'expired' : ask.state, answer: ask.answer, late: true };
    await insertLateAnswer(act.tx, ask.id, answer, act.now);
    await act.emit('ask.late_answer', ask.id, { by: caller.name });
    await this.#tell(act, caller, ask, { subject: 'late answer', body: answer.join('\n') });
    return { state: ask.state, answer: ask.answer, late: true };
  }

  /** The question has been dealt with: its message needs no reply any more. */
  async #settle(act: Act, ask: AskRow): Promise<void> {
    const delivery = await findDelivery(act.tx, ask.messageId, ask.targetId);
    if (delivery === undefined) return;
    if (await acknowledge(act.tx, delivery, 'reply', act.now))
      await act.emit('message.acked', ask.messageId, { by: await this.#name(act, ask.targetId), how: 'reply', attempt: delivery.attempt });
    else await markDone(act.tx, ask.messageId, ask.targetId, act.now);
  }

  /** The question is moot. If the target has seen it, it is told; if not, it never will, and its next batch says why. */
  async #withdraw(act: Act, ask: AskRow, by: Caller | undefined): Promise<void> {
    const delivery = await findDelivery(act.tx, ask.messageId, ask.targetId);
    if (delivery === undefined) return;
    const seen = delivery.firstShownAt !== null;
    if (by === undefined) await close(act.tx, ask.messageId, ask.targetId, 'expired', 'the deadline of the ask passed', act.now);
    else await close(act.tx, ask.messageId, ask.targetId, 'recalled', 'the ask was withdrawn', act.now);
    await markDone(act.tx, ask.messageId, ask.targetId, act.now);
    const target = await findAgent(act.tx, ask.targetId);
    if (by !== undefined && seen && target !== undefined) {
      await this.#posting.notify(act, [target], {
        subject: 'ask withdrawn',
        body: `The ask ${ask.id} needs no answer any more: ${by.name} withdrew it.`,
        ref: ask.id,
      });
    }
    if (by !== undefined && by.agentId !== ask.askerId)
      await this.#tellAsker(act, ask, 'ask cancelled', `${by.name} cancelled your ask ${ask.id}.`);
  }

  /** The words of the target, in the thread of the question. */
  async #tell(act: Act, from: Caller, ask: AskRow, words: { subject: string; body: string }): Promise<void> {
    const asker = await findAgent(act.tx, ask.askerId);
    if (asker === undefined) return;
    const draft = {
      to: [],
      kind: 'status' as const,
      expectsReply: false,
      allowDuplicate: true,
      inReplyTo: ask.messageId,
      ref: ask.id,
      ...words,
    };
    await this.#posting.post(act, from, draft, audienceOf([asker]));
  }

  async #tellAsker(act: Act, ask: AskRow, subject: string, body: string): Promise<void> {
    const asker = await findAgent(act.tx, ask.askerId);
    if (asker !== undefined) await this.#posting.notify(act, [asker], { subject, body, ref: ask.id });
  }

  async #each(asks: readonly AskRow[], change: (act: Act, ask: AskRow) => Promise<void>): Promise<number> {
    const done = await Promise.all(
      asks.map((candidate) =>
        this.#context.commands.runAs(candidate.projectId, ACTOR, async (act) => {
          const ask = await findAsk(act.tx, candidate.projectId, candidate.id);
          if (ask === undefined || ask.state !== 'open') return false;
          await change(act, ask);
          return true;
        }),
      ),
    );
    return done.filter(Boolean).length;
  }

  async #name(act: Act, agentId: string): Promise<string> {
    return (await findAgent(act.tx, agentId))?.name ?? 'unknown';
  }
}
