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
  asksTo,
  closeAsk,
  countOpenAsks,
  findAsk,
  insertAsk,
  insertLateAnswer,
  lateAnswers,
} from '../store/asks.ts';
import type { Read } from '../store/db.ts';
import { audienceOf, resolveAudience } from './addresses.ts';
import type { AskEnds } from './ask-ends.ts';
import { type Caller, oversees } from './caller.ts';
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

export class Asks {
  readonly #context: HubContext;
  readonly #posting: Posting;
  readonly #ends: AskEnds;

  constructor(context: HubContext, posting: Posting, ends: AskEnds) {
    this.#context = context;
    this.#posting = posting;
    this.#ends = ends;
  }

  /** Asks one agent or the operator. Errors: `invalid_input` (oneself, several), `limit_reached` (open asks), those of a send. */
  async ask(
    caller: Caller,
    question: Question,
    intent: Intent,
  ): Promise<{ askId: string; messageId: string; deadlineAt: number; replayed?: boolean }> {
    const limits = this.#context.limitsOf(caller);
    const deadlineMs = question.deadlineMs ?? limits.askDeadlineMs;
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
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
      return await this.open(act, caller, target, question, deadlineMs);
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
      await this.#ends.settle(act, ask);
      await this.#ends.tell(act, caller, ask, {
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
      await this.#ends.cancelFor(act, ask, caller);
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

  /** Open asks put to the caller, oldest first. */
  async putTo(caller: Caller, limit: number): Promise<AskView[]> {
    return await this.#context.commands.look(caller, async (read) =>
      Promise.all((await asksTo(read, caller.agentId, limit)).map((ask) => this.view(read, ask))),
    );
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

  /** Puts a question, within a transaction of whoever has checked that it may be put. */
  async open(act: Act, caller: Caller, target: AgentRow, question: Omit<Question, 'to'>, deadlineMs: number) {
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
    const { lateAnswers: most } = this.#context.limits;
    const kept = await lateAnswers(act.tx, ask.id);
    if (kept.length >= most) {
      throw new HubError(
        'limit_reached',
        `This ask is ${ask.state}, and ${most} late answers are kept beside it already; nothing was recorded.`,
        {
          hint: 'Send a message if it still matters.',
        },
      );
    }
    await insertLateAnswer(act.tx, ask.id, answer, Math.max(act.now, (kept.at(-1)?.at ?? 0) + 1));
    await act.emit('ask.late_answer', ask.id, { by: caller.name });
    await this.#ends.tell(act, caller, ask, { subject: 'late answer', body: answer.join('\n') });
    return { state: ask.state, answer: ask.answer, late: true };
  }
}
