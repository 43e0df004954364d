// Heartbeats: how a process keeps its sessions alive, and how those of dead and silent processes come to their end. Both are timed duties.

import { findAgent } from '../store/agents.ts';
import { findSession, heartbeat, openSessions, reviveSession, type SessionRow } from '../store/sessions.ts';
import type { HubContext } from './context.ts';
import { isLive } from './presence.ts';
import type { Sessions } from './sessions.ts';

export class Heartbeats {
  readonly #context: HubContext;
  readonly #sessions: Sessions;

  constructor(context: HubContext, sessions: Sessions) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /** Keeps the sessions of this process alive. */
  async beat(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    const now = this.#context.time.now();
    const silent: SessionRow[] = [];
    await this.#context.db.write(
      '',
      async (tx) => {
        silent.length = 0; // an engine may have to begin anew
        for (const id of sessionIds) {
          await heartbeat(tx, id, now);
          const session = await findSession(tx, id);
          if (session?.endReason === 'silent') silent.push(session);
        }
      },
      'relaxed',
    );
    for (const session of silent) await this.#goOn(session);
  }

  /** This process was suspended, and its session was taken for dead meanwhile: if nobody took its agent, it goes on. */
  async #goOn(session: SessionRow): Promise<void> {
    await this.#context.commands.runAs(session.projectId, { agentId: session.agentId }, async (act) => {
      const agent = await findAgent(act.tx, session.agentId);
      if (agent === undefined || agent.epoch !== session.epoch) return;
      await reviveSession(act.tx, session.id, act.now, this.#context.host);
      await act.emit('session.revived', session.id, { agent: agent.name });
    });
  }

  /** A timed duty: sessions whose process died, or which fell silent, are over. Answers how many were. */
  async endDead(): Promise<number> {
    const candidates = (await this.#context.db.read((read) => openSessions(read, null))).filter(
      (session) => !isLive(this.#context, session),
    );
    let ended = 0;
    for (const candidate of candidates) {
      ended += await this.#context.commands.runAs(candidate.projectId, { agentId: 'hub' }, async (act) => {
        const session = await findSession(act.tx, candidate.id);
        return session !== undefined && !isLive(this.#context, session) && (await this.#sessions.endOne(act, session, 'silent')) ? 1 : 0;
      });
    }
    return ended;
  }
}
