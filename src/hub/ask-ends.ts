// How asks end, beside being answered: what their end means for the question's message, who is told, and the ends that time brings (C7).

import { findAgent } from '../store/agents.ts';
import { type AskRow, asksToAbsent, closeAsk, findAsk, markAbsenceTold, nextDeadline, overdueAsks } from '../store/asks.ts';
import { audienceOf } from './addresses.ts';
import type { Caller } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import type { Posting } from './posting.ts';
import { settleMessage, withdrawMessage } from './settling.ts';

const ACTOR = { agentId: 'hub' };

export class AskEnds {
  readonly #context: HubContext;
  readonly #posting: Posting;
  readonly #followers: ((act: Act, ask: AskRow) => Promise<void>)[] = [];

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /** Duty: asks whose deadline passed end, found by a look at the database, so that no restart forgets one (T-5). */
  async expireDue(): Promise<number> {
    const overdue = await this.#context.db.read((read) => overdueAsks(read, this.#context.time.now(), this.#context.limits.dueBatch));
    return await this.#each(overdue, async (act, ask) => {
      if (ask.deadlineAt > act.now) return;
      await closeAsk(act.tx, ask.id, { state: 'expired', answer: null, reason: 'its deadline passed', by: 'hub' }, act.now);
      await act.emit('ask.expired', ask.id, {});
      await this.withdraw(act, ask, undefined);
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
    return this.#context.instants.next(nextDeadline);
  }

  /** The question has been dealt with: its message needs no reply any more. */
  async settle(act: Act, ask: AskRow): Promise<void> {
    await settleMessage(act, ask.messageId, ask.targetId);
    await this.#ended(act, ask);
  }

  /** Somebody who may do so withdraws an ask that is open. */
  async cancelFor(act: Act, ask: AskRow, by: Pick<Caller, 'agentId' | 'name'>): Promise<void> {
    await closeAsk(act.tx, ask.id, { state: 'cancelled', answer: null, reason: null, by: by.agentId }, act.now);
    await act.emit('ask.cancelled', ask.id, { by: by.name });
    await this.withdraw(act, ask, by);
  }

  /** The question is moot. If the target has seen it, it is told; if not, it never will, and its next batch says why. */
  async withdraw(act: Act, ask: AskRow, by: Pick<Caller, 'agentId' | 'name'> | undefined): Promise<void> {
    const [state, why] =
      by === undefined ? (['expired', 'the deadline of the ask passed'] as const) : (['recalled', 'the ask was withdrawn'] as const);
    const seen = await withdrawMessage(act, ask.messageId, ask.targetId, state, why);
    const target = await findAgent(act.tx, ask.targetId);
    if (by !== undefined && seen && target !== undefined) {
      await this.#posting.notify(act, [target], {
        subject: 'ask withdrawn',
        body: `The ask ${ask.id} needs no answer any more: ${by.name} withdrew it.`,
        ref: ask.id,
        wakes: false,
      });
    }
    if (by !== undefined && by.agentId !== ask.askerId)
      await this.#tellAsker(act, ask, 'ask cancelled', `${by.name} cancelled your ask ${ask.id}.`);
    await this.#ended(act, ask);
  }

  /** Has something done in the transaction in which an ask ends, whatever its end: what waits for it goes on. */
  whenEnded(follow: (act: Act, ask: AskRow) => Promise<void>): void {
    this.#followers.push(follow);
  }

  async #ended(act: Act, ask: AskRow): Promise<void> {
    for (const follow of this.#followers) await follow(act, ask);
  }

  /** The words of the target, in the thread of the question. */
  async tell(act: Act, from: Caller, ask: AskRow, words: { subject: string; body: string }): Promise<void> {
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
