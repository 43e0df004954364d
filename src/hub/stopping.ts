// Stopping: what happens when a client's model wants to end its turn. First the batches are acknowledged that the transcript proves it has seen
// and gone on after (C4), so that agents need not spend a call. Then, if mail is unread or something is owed that it was not told of at an
// earlier stop, the stop is refused once, with the reason as facts; never twice in a row, and never for messages that wake nobody.

import { findUsage } from '../store/context-usage.ts';
import type { Read } from '../store/db.ts';
import { debtsAfter, findHookMarks, openReceipts, setBlocked } from '../store/hook-marks.ts';
import { findSession } from '../store/sessions.ts';
import type { Acknowledging } from './acknowledging.ts';
import type { Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { frame } from './frame.ts';
import { mailLine } from './mail-news.ts';

/** What keeps an agent from stopping. */
type Open = { what: string; lines: string[] };

const KINDS = [
  ['unread', 'unread', 'recv_batch shows it'],
  ['unacknowledged', 'shown to you and not acknowledged', 'ack, or recv_batch with its receipt'],
  ['unreplied', 'acknowledged and not replied to, though a reply is expected', 'send with in_reply_to, or answer for an ask'],
] as const;

export class Stopping {
  readonly #context: HubContext;
  readonly #acks: Acknowledging;

  constructor(context: HubContext, acks: Acknowledging) {
    this.#context = context;
    this.#acks = acks;
  }

  /** The receipts whose echo is still missing: what to look for in the transcript. */
  receipts(caller: Caller): Promise<string[]> {
    return this.#context.db.read((read) => openReceipts(read, caller.agentId));
  }

  /** Acknowledges what the transcript proves to have been seen. Answers how many messages that were. */
  async acknowledge(caller: Caller, proven: readonly string[]): Promise<number> {
    if (proven.length === 0) return 0;
    return await this.#context.commands.runAs(caller.projectId, caller, async (act) => {
      let count = 0;
      const current = await openReceipts(act.tx, caller.agentId);
      for (const receipt of proven.filter((one) => current.includes(one))) {
        for (const delivery of await this.#acks.byReceipt(act, caller, receipt))
          if (await this.#acks.one(act, caller, delivery, 'receipt')) count += 1;
      }
      return count;
    });
  }

  /** Why the agent had better not stop yet, or undefined. `insists`: the client says that this stop follows a refused one. */
  async refusal(caller: Caller, insists: boolean): Promise<string | undefined> {
    const { commands, ids } = this.#context;
    return await commands.runAs(caller.projectId, caller, async (act) => {
      const marks = await findHookMarks(act.tx, caller.sessionId);
      const session = await findSession(act.tx, caller.sessionId);
      const debts = await this.#debts(act.tx, caller, act.now, marks.blockedSeq);
      if (debts.length === 0 || insists || marks.blockedAt !== null || session?.endedAt !== null) {
        if (marks.blockedAt !== null) await setBlocked(act.tx, caller.sessionId, 0, null);
        return undefined;
      }
      const seq = await act.emit('stop.refused', caller.sessionId, { agent: caller.name, debts: debts.length });
      // Whatever there is has come before this event: the agent has been told of it.
      await setBlocked(act.tx, caller.sessionId, seq, act.now);
      return [
        `Open in the hub for ${caller.name} as this turn ends; this is said once:`,
        ...debts.flatMap(({ what, lines }) => [what, ...(lines.length === 0 ? [] : [frame(ids, lines)])]),
      ].join('\n');
    });
  }

  async #debts(read: Read, caller: Caller, now: number, after: number): Promise<Open[]> {
    const limit = this.#context.limits.hintMessages;
    const open: Open[] = [];
    for (const [kind, words, way] of KINDS) {
      const mail = await debtsAfter(read, kind, caller.agentId, now, after, limit + 1);
      if (mail.length === 0) continue;
      const count = mail.length > limit ? `more than ${limit}` : String(mail.length);
      open.push({
        what: `${count} ${mail.length === 1 ? 'message' : 'messages'} ${words} (${way}):`,
        lines: mail.slice(0, limit).map((one) => `${mailLine(one, caller.name)} (${one.messageId})`),
      });
    }
    const usage = await findUsage(read, caller.agentId);
    if (usage !== undefined && usage.sessionId === caller.sessionId && usage.requestedSeq !== null && usage.requestedSeq > after) {
      open.push({ what: `A checkpoint was asked for, because your context is ${usage.percent} % full (save_checkpoint).`, lines: [] });
    }
    return open;
  }
}
