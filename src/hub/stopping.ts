// Stopping: what happens when a client's model wants to end its turn. First the batches are acknowledged that the transcript proves it has seen
// and gone on after (C4), so that agents need not spend a call. Then, if mail is unread or something is owed that it was not told of at an
// earlier stop, the stop is refused once, with the reason as facts; never twice in a row, and never for messages that wake nobody.

import { findUsage } from '../store/context-usage.ts';
import type { Read } from '../store/db.ts';
import { begunWorkAfter, debtsAfter, findHookMarks, openReceipts, setBlocked } from '../store/hook-marks.ts';
import { findSession } from '../store/sessions.ts';
import type { Acknowledging } from './acknowledging.ts';
import type { Caller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { frame, quote } from './frame.ts';
import { mailLine } from './mail-news.ts';

/** What keeps an agent from stopping. */
type Open = { what: string; lines: string[] };

const TITLE_CHARS = 120;

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
    const { commands, db, ids } = this.#context;
    // Nearly always there is nothing to say, and then nothing to write.
    const isClear = await db.read(async (read) => {
      const { blockedAt, blockedSeq } = await findHookMarks(read, caller.sessionId);
      const now = await commands.now(read, caller.projectId);
      return blockedAt === null && (await this.#debts(read, caller, now, blockedSeq)).length === 0;
    });
    if (isClear) return undefined;
    const refuse = async (act: Act): Promise<string | undefined> => {
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
    };
    return await commands.runAs(caller.projectId, caller, refuse, 'relaxed');
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
    const work = await begunWorkAfter(read, caller.agentId, after, limit + 1);
    if (work.length > 0) {
      const count = work.length > limit ? `more than ${limit}` : String(work.length);
      open.push({
        what: `${count} ${work.length === 1 ? 'task' : 'tasks'} in your hands (complete_task, or update_task to say how far you are, to ask or to give back):`,
        lines: work.slice(0, limit).map(({ id, title }) => `- ${quote(title, TITLE_CHARS)} (${id})`),
      });
    }
    const usage = await findUsage(read, caller.agentId);
    if (usage !== undefined && usage.sessionId === caller.sessionId && usage.requestedSeq !== null && usage.requestedSeq > after) {
      open.push({ what: `A checkpoint was asked for, because your context is ${usage.percent} % full (save_checkpoint).`, lines: [] });
    }
    return open;
  }
}
