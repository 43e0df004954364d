// The proof that waking works: after a wake-up the agent reads. Told by whatever shows or acknowledges unread mail, in the same transaction; it
// costs one indexed look when nothing is outstanding.

import { findSession } from '../store/sessions.ts';
import { endAttempt, outstandingAttempt } from '../store/wake-attempts.ts';
import { proveDoor } from '../store/wake-doors.ts';
import type { Caller } from './caller.ts';
import type { Act } from './command.ts';

/** The caller reads: its outstanding wake-up is over, and the door of it proven. A sub-agent reads in the session of the agent that was woken. */
export async function proveWake(act: Act, caller: Pick<Caller, 'agentId' | 'sessionId' | 'epoch' | 'parentId' | 'name'>): Promise<void> {
  const holder = caller.parentId === null || caller.epoch === null ? undefined : (await findSession(act.tx, caller.sessionId))?.agentId;
  const attempt = await outstandingAttempt(act.tx, holder ?? caller.agentId);
  if (attempt === undefined || !(await endAttempt(act.tx, { ...attempt, stirred: true }, 'read', act.now))) return;
  await proveDoor(act.tx, attempt.doorId, act.now);
  await act.emit('wake.read', attempt.id, { by: caller.name, door: attempt.door, after_ms: act.now - attempt.startedAt });
}
