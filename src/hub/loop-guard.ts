// The guard against exchanges that never end (C17): replies carry a hop count, alternation is counted, and a thread past either limit is
// paused until a person lets it go on. It judges by who wrote when, never by what was written.

import type { MessageHead, MessageRow } from '../store/messages.ts';
import { alternationsSince, findPause, type PauseRow, resumeThread } from '../store/pauses.ts';
import { authorityOf, type Caller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';

export class LoopGuard {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** How far a message is from the last person, ask or task: those, and what answers nothing, start the count anew; so does letting a thread go on. */
  async hop(act: Act, sender: Caller, parent: MessageHead | undefined, ref: string | undefined): Promise<number> {
    if (parent === undefined || ref !== undefined || isAuthority(sender)) return 0;
    const hop = parent.hop + 1;
    if (hop <= this.#context.limitsOf({ projectId: act.projectId }).hops) return hop;
    const pause = await findPause(act.tx, parent.threadId);
    return (pause?.resumedAt ?? -1) >= parent.createdAt ? 0 : hop;
  }

  /** Refuses to send in a paused thread. A person who writes in it lets it go on. Answers the latest pause of the thread, if it had one. */
  async assertRunning(act: Act, sender: Caller, message: MessageRow): Promise<PauseRow | undefined> {
    if (message.inReplyTo === null || message.ref !== null) return undefined;
    const pause = await findPause(act.tx, message.threadId);
    if (pause === undefined || pause.resumedAt !== null || authorityOf(sender.role) === 'hub') return pause;
    if (authorityOf(sender.role) === 'operator') {
      await resumeThread(act.tx, act.projectId, message.threadId, act.now);
      await act.emit('thread.resumed', message.threadId, { by: sender.name });
      return { ...pause, resumedAt: act.now };
    }
    throw new HubError('limit_reached', `This thread is paused: ${pause.reason}. Nothing was sent.`, {
      hint: 'The operator has been told and can let it go on. Start a new thread only for something new; ask the operator if you need a decision.',
    });
  }

  /** Why the thread has to stop after this message, if it has to. `pause`: its latest. */
  async findLoop(act: Act, message: MessageRow, pause: PauseRow | undefined): Promise<string | undefined> {
    const { hops, alternations, alternationWindowMs } = this.#context.limitsOf({ projectId: act.projectId });
    if (message.inReplyTo === null || message.ref !== null) return undefined;
    if (pause !== undefined && pause.resumedAt === null) return undefined;
    if (message.hop > hops) return `${message.hop} replies in a row without a task, an ask or a person in between (limit ${hops})`;
    const since = Math.max(act.now - alternationWindowMs, pause?.resumedAt ?? 0);
    const count = await alternationsSince(act.tx, message.threadId, since, alternations + 1);
    return count >= alternations
      ? `${count} alternations within ${alternationWindowMs / 60_000} minutes (limit ${alternations})`
      : undefined;
  }
}

function isAuthority(sender: Caller): boolean {
  const authority = authorityOf(sender.role);
  return authority === 'operator' || authority === 'hub';
}
