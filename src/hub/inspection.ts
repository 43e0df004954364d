// One agent from close by, for whoever oversees its project: by which doors it is woken and what came of it, what its client was refused, how
// full its context is, and what it wrote down for the day its context is gone. Looking changes nothing.

import { findUsage } from '../store/context-usage.ts';
import type { Read } from '../store/db.ts';
import { countReminders, type ReminderCounts } from '../store/reminders.ts';
import { refusedToolUses, type ToolUseRow } from '../store/tool-uses.ts';
import { type AttemptRow, attemptsWithin } from '../store/wake-attempts.ts';
import { type DoorRow, doorsOf } from '../store/wake-doors.ts';
import type { Agents, AgentView } from './agents.ts';
import type { Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { isOpen } from './wake-doors.ts';
import { outcomeOf } from './wake-history.ts';
import { inOrder } from './wake-policy.ts';

export type Inspection = {
  /** Every door of it that nobody closed, the best first. */
  doors: (DoorRow & { open: boolean })[];
  /** The newest wake-ups, the newest first, each with what came of it. */
  attempts: (AttemptRow & { outcome: string })[];
  /** Tools that its client was kept from using, the newest first. */
  refusals: ToolUseRow[];
  usage: { percent: number; reportedAt: number; checkpointOwed: boolean } | null;
  reminders: ReminderCounts;
};

const SHOWN = 20;
const LOOKED_BACK_MS = 7 * 86_400_000;

export async function inspectionOf(
  { context, agents }: { context: HubContext; agents: Agents },
  read: Read,
  caller: Caller,
  name: string,
  now: number,
): Promise<{ view: AgentView; inspection: Inspection }> {
  const agent = await agents.named(read, caller, name);
  const view = await agents.viewOf(read, agent, now);
  const usage = await findUsage(read, agent.id);
  const attempts = await attemptsWithin(read, agent.id, now - LOOKED_BACK_MS, now, SHOWN);
  return {
    view,
    inspection: {
      doors: inOrder(await doorsOf(read, agent.id)).map((door) => ({ ...door, open: isOpen(context, door, view.session) })),
      attempts: attempts.reverse().map((attempt) => ({ ...attempt, outcome: outcomeOf(attempt) })),
      refusals: await refusedToolUses(read, agent.id, now - LOOKED_BACK_MS, SHOWN),
      usage:
        usage === undefined || usage.sessionId !== view.session?.id
          ? null
          : { percent: usage.percent, reportedAt: usage.reportedAt, checkpointOwed: usage.requestedSeq !== null },
      reminders: await countReminders(read, agent.id),
    },
  };
}
