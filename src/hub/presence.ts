// Presence is derived, never stored as truth: from the newest session of an agent and what is known of its process.

import type { AgentRow } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { findSession, latestSession, type SessionRow } from '../store/sessions.ts';
import type { HubContext } from './context.ts';

export const PRESENCE_STATES = ['starting', 'ready', 'busy', 'waiting', 'idle', 'stalled', 'gone'] as const;
export type Presence = (typeof PRESENCE_STATES)[number];

/** Five minutes without a call: nothing is known to be under way. */
const IDLE_AFTER_MS = 5 * 60_000;

/** Whether the session can still act: it has not ended, its process lives, and it was heard of lately (C5). */
export function isLive(context: HubContext, session: SessionRow | undefined): boolean {
  if (session === undefined || session.endedAt !== null) return false;
  const { time, limits } = context;
  if (processIsGone(context, session)) return false;
  return time.now() - session.heartbeatAt <= limits.silentAfterMs || !time.trustsSilence();
}

/** Whether the process behind a session provably exists no more. In a container a restarted server has the pid of its predecessor. */
export function processIsGone({ host }: HubContext, session: SessionRow): boolean {
  if (session.host !== host.key) return false;
  return session.pid === host.pid ? session.startedAt < host.startedAt : !host.isAlive(session.pid);
}

/** A command acts in a session that ends with it. Whoever works by commands has not gone then: what was taken holds as long as was said. */
export function endsWithCommand({ door }: Pick<SessionRow, 'door'>): boolean {
  return door === 'cli';
}

/** Whether a turn or a tool is under way, as its client's hooks told, and not so long ago that its end must have been lost. */
export function isWorking({ limits, time }: HubContext, session: SessionRow, toolsInFlight: number): boolean {
  if (toolsInFlight > 0) return true;
  if (session.turnStartedAt === null) return false;
  const heardAt = Math.max(session.turnStartedAt, session.hookedAt ?? 0, session.calledAt ?? 0);
  return time.now() - heardAt <= limits.turnSilentMs;
}

/** `forgets`: something it was shown has waited for its acknowledgement longer than the nudge. */
export function presenceOf(
  context: HubContext,
  session: SessionRow | undefined,
  { forgets, toolsInFlight }: { forgets: boolean; toolsInFlight: number },
): Presence {
  if (session === undefined || !isLive(context, session)) return 'gone';
  const now = context.time.now();
  if (session.waitingUntil !== null && session.waitingUntil > now) return 'waiting';
  if (isWorking(context, session, toolsInFlight)) return 'busy';
  const { calledAt, hookedAt } = session;
  if (calledAt === null) return hookedAt === null ? 'starting' : 'idle';
  const quietFor = now - calledAt;
  if (forgets && quietFor > context.limits.nudgeAfterMs) return 'stalled';
  // A client with hooks tells when its model is at work: it told nothing.
  if (hookedAt !== null && hookedAt >= calledAt) return 'idle';
  return quietFor > IDLE_AFTER_MS ? 'idle' : 'ready';
}

/** The session that an agent lives in: its newest own, or for a sub-agent the one that registered it. */
export async function sessionOf(read: Read, agent: Pick<AgentRow, 'id' | 'parentSessionId'>): Promise<SessionRow | undefined> {
  return agent.parentSessionId === null ? await latestSession(read, agent.id) : await findSession(read, agent.parentSessionId);
}
