// What agents are told when the hub comes back: a process that held their sessions died, or everything had stopped. Each agent whose session
// was cut learns it once, managers first; ending the session is what claims the notice, so any number of starting processes may do it.

import { type AgentRow, findAgent } from '../store/agents.ts';
import { inboxCounts } from '../store/inbox.ts';
import { endSession, openSessions, type SessionRow } from '../store/sessions.ts';
import { shortenLeases } from '../store/task-leases.ts';
import { loadOf } from '../store/task-queue.ts';
import { authorityOf } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import type { Posting } from './posting.ts';
import { endsWithCommand, processIsGone } from './presence.ts';

const ACTOR = { agentId: 'hub' };

export class Restarts {
  readonly #context: HubContext;
  readonly #posting: Posting;
  readonly #boot: { bootId: string; beatAt: number };

  /** `beatAt`: when timed duties last ran before this process started. */
  constructor(context: HubContext, posting: Posting, boot: { bootId: string; beatAt: number }) {
    this.#context = context;
    this.#posting = posting;
    this.#boot = boot;
  }

  /** Run once at the start of a server: tells those whose sessions were cut. Answers how many. */
  async announce(): Promise<number> {
    const now = this.#context.time.now();
    const allStopped = now - this.#boot.beatAt > this.#context.limits.schedulerSilenceMs;
    const cut = (await this.#context.db.read((read) => openSessions(read, null))).filter(
      // A stdio server that died took nobody else with it: its successor is shown what it left, and needs no notice.
      (session) => processIsGone(this.#context, session) && (session.door === 'http' || allStopped),
    );
    let told = 0;
    for (const projectId of new Set(cut.map((session) => session.projectId))) {
      const sessions = cut.filter((session) => session.projectId === projectId);
      told += await this.#context.commands.runAs(projectId, ACTOR, (act) => this.#tell(act, sessions));
    }
    return told;
  }

  async #tell(act: Act, sessions: readonly SessionRow[]): Promise<number> {
    const agents: AgentRow[] = [];
    for (const session of sessions) {
      if (!(await endSession(act.tx, session.id, act.now, 'restart'))) continue;
      if (!endsWithCommand(session)) await shortenLeases(act.tx, session, act.now + this.#context.limits.taskOrphanMs);
      await act.emit('session.ended', session.id, { reason: 'restart' });
      const agent = await findAgent(act.tx, session.agentId);
      if (agent !== undefined) agents.push(agent);
    }
    const rank = (agent: AgentRow) => (authorityOf(agent.role) === 'manager' ? 0 : 1);
    for (const agent of agents.sort((a, b) => rank(a) - rank(b))) {
      const { leased } = await inboxCounts(act.tx, agent.id, act.now);
      const { held } = await loadOf(act.tx, agent.id, act.now);
      const tasks =
        held === 0
          ? ''
          : ` You hold ${counted(held, 'task')}, and a call within a minute keeps ${held === 1 ? 'it, get_open_threads has its token' : 'them, get_open_threads has their tokens'}.`;
      await this.#posting.notify(act, [agent], {
        subject: 'hub restarted',
        body: `The hub restarted: restarted_at ${toIso(act.now)}, boot_id ${this.#boot.bootId}. Your session was cut; requeued ${leased}: what you had been shown and not acknowledged is shown again. Asks, approvals, reminders and sent messages are untouched: do not repeat them.${tasks}`,
        ref: this.#boot.bootId,
        wakes: false,
      });
    }
    return agents.length;
  }
}
