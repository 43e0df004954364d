// Whose hand acts. What nobody may do for itself (decide its own approval, review its own work), nobody does for itself under another name either:
// an agent is one hand with its sub-agents, with the agent that registered it, and with whatever other agent its own client becomes.

import { findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findSession } from '../store/sessions.ts';
import type { TaskRow } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import { lacksReviewers } from './task-states.ts';

/** Who did something, and in which session: as it was written down then. */
export type Hand = { agentId: string; sessionId: string };

/** Whose session acts when this caller does. */
export function handOf(caller: Pick<Caller, 'agentId' | 'parentId'>): string {
  return caller.parentId ?? caller.agentId;
}

/** Whether the caller is one hand with whoever acted then. */
export async function isSameHand(read: Read, caller: Caller, other: Hand): Promise<boolean> {
  if (await isKin(read, caller, other)) return true;
  if (caller.epoch === null) return false;
  const theirs = await findSession(read, other.sessionId);
  const own = await findSession(read, caller.sessionId);
  if (theirs === undefined || own === undefined) return false;
  // One client can join under several names, one after the other; it stays one client, whatever it is called.
  const joinedAway = theirs.endReason === 'left' && own.host === theirs.host && own.pid === theirs.pid;
  return own.id === theirs.id || joinedAway || (own.clientKey !== null && own.clientKey === theirs.clientKey);
}

/** Whether two agents are the same, parent and sub-agent, or sub-agents of one. */
export async function isKin(read: Read, one: { agentId: string }, other: { agentId: string }): Promise<boolean> {
  if (one.agentId === other.agentId) return true;
  const [a, b] = [await findAgent(read, one.agentId), await findAgent(read, other.agentId)];
  return a !== undefined && b !== undefined && (a.parentId ?? a.id) === (b.parentId ?? b.id);
}

/** Whether this agent cannot work on a task because its reviewers would then be too few: it is one of them, or one hand with one. */
export async function isNeededToReview(read: Read, task: Pick<TaskRow, 'reviewers' | 'quorum'>, agentId: string): Promise<boolean> {
  const handOfId = async (id: string) => (await findAgent(read, id))?.parentId ?? id;
  const hands: string[] = [];
  for (const id of task.reviewers) hands.push(await handOfId(id));
  return hands.length > 0 && lacksReviewers(task, hands, await handOfId(agentId));
}
