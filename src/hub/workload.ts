// Whether an agent may be given another task: it holds few enough, and has not used up what it may use within a day. A sub-agent uses the budget of
// whoever registered it, because its turns are that one's.

import type { Read } from '../store/db.ts';
import { loadOf } from '../store/task-queue.ts';
import { tokensSince } from '../store/turns.ts';
import type { Limits } from './limits.ts';

const DAY = 86_400_000;

/** Why this agent is given nothing more; null while it has room. */
export async function whyFull(
  read: Read,
  limits: Limits,
  agent: { id: string; parentId: string | null },
  now: number,
): Promise<string | null> {
  const { held } = await loadOf(read, agent.id, now);
  if (held >= limits.heldTasks) return `you hold ${held} tasks, the limit is ${limits.heldTasks}`;
  const used = await overBudget(read, limits, agent, now);
  return used === null ? null : `you have used ${used} tokens within 24 hours, the budget is ${limits.dailyTokens}`;
}

/** What an agent has used within a day, if that is its budget or more: what it read that was not cached, and what it wrote. */
export async function overBudget(
  read: Read,
  limits: Limits,
  agent: { id: string; parentId: string | null },
  now: number,
): Promise<number | null> {
  const used = await tokensSince(read, agent.parentId ?? agent.id, now - DAY);
  return used >= limits.dailyTokens ? used : null;
}
