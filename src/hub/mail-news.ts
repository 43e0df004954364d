// Mail as news: what a client's hooks tell its model of waiting mail, at a prompt and between tools. Telling peeks and never leases (C4). Each piece
// of news is told once: a new prompt is told of all that is unread, a running turn of what came since and is worth an interruption. Subjects
// are others' words, so they stand in a frame.

import { findHookMarks, setHinted } from '../store/hook-marks.ts';
import { newestUnread, type UnreadHead, unreadHeads } from '../store/unread.ts';
import { outstandingAttempt } from '../store/wake-attempts.ts';
import type { Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { frame, oneLine } from './frame.ts';
import { aboutOf } from './mail-hint.ts';
import { tellsOf } from './wake-notice.ts';

export class MailNews {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** The words that tell of it, or undefined when there is nothing to tell. `prompt`: the words of the prompt, if the client says them. */
  async tell(caller: Caller, at: 'prompt' | 'in turn', prompt?: string): Promise<string | undefined> {
    const { db, commands, ids, limits } = this.#context;
    const seen = await db.read(async (read) => {
      const now = await commands.now(read, caller.projectId);
      const { newest, newestWaking } = await newestUnread(read, caller.agentId, caller.sessionId, now);
      if (newest === 0) return undefined;
      const { hintedSeq } = await findHookMarks(read, caller.sessionId);
      // What woke it has told it, unless its person was quicker: then nobody knows whether the door was heard.
      const woken = await outstandingAttempt(read, caller.agentId);
      const wokenSeq = woken !== undefined && (at === 'in turn' || tellsOf(prompt, woken.id)) ? woken.newestSeq : 0;
      if (at === 'in turn' ? newestWaking <= Math.max(hintedSeq, wokenSeq) : newest <= wokenSeq) return undefined;
      const after = at === 'in turn' ? Math.max(hintedSeq, wokenSeq) : 0;
      const mail = await unreadHeads(read, caller.agentId, caller.sessionId, now, limits.hintMessages, after);
      return { ...mail, newest, isTold: newest <= hintedSeq };
    });
    if (seen === undefined) return undefined;
    if (!seen.isTold) await db.write(caller.projectId, (tx) => setHinted(tx, caller.sessionId, seen.newest), 'relaxed');
    const urgent = seen.urgent === 0 ? '' : `, ${seen.urgent} urgent`;
    const more = seen.unread - seen.heads.length;
    return [
      `Hub mail for ${caller.name}: ${seen.unread} unread${urgent}. recv_batch shows ${seen.unread === 1 ? 'it' : 'them'}.`,
      frame(
        ids,
        seen.heads.map((head) => mailLine(head, caller.name)),
      ),
      ...(more > 0 ? [`+${more} more queued; consider draining before acting.`] : []),
    ].join('\n');
  }
}

/** A message without its words: who wrote to whom, about what. */
export function mailLine(head: Pick<UnreadHead, 'from' | 'subject' | 'kind' | 'urgent' | 'ref'> & { to?: string }, reader: string): string {
  const to = head.to === undefined || head.to === reader ? '' : ` to your sub-agent ${oneLine(head.to, 48)} (recv_batch with as)`;
  return `- from ${oneLine(head.from, 48)}${to}: ${aboutOf(head)}`;
}
