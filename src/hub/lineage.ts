// Which agent runs this process: a command that an agent starts is a child of its client, and so is the stdio server that the client started for
// the hub. It keeps agents from acting as the person by accident, and tells whose a commit is; it stops nobody who wants to hide, because the
// operating-system user is the boundary (C15).

import { type AgentRow, findAgent } from '../store/agents.ts';
import { openSessions } from '../store/sessions.ts';
import { type Caller, toCaller } from './caller.ts';
import type { ClientProcesses } from './client-processes.ts';
import type { HubContext } from './context.ts';

/** Clients, shells and wrappers are a handful of processes; a longer line is a loop of reused pids. */
const LONGEST_LINE = 64;

export class Lineage {
  readonly #context: HubContext;
  readonly #clientProcesses: ClientProcesses;

  constructor(context: HubContext, clientProcesses: ClientProcesses) {
    this.#context = context;
    this.#clientProcesses = clientProcesses;
  }

  /** An agent whose client started this process, directly or not, in any project. Undefined when there is none, or the machine does not tell. */
  async agentAbove(): Promise<AgentRow | undefined> {
    const [nearest] = await this.#nearest(null);
    return nearest === undefined ? undefined : await this.#context.db.read((read) => findAgent(read, nearest.agentId));
  }

  /**
   * The agent of a project that runs this command: by the client's session that its environment names (`clientKey`), by the client process above it, or
   * by a server with the same parent. Undefined where nobody does, or where it could be several (one process may run many of a client's sessions).
   */
  async callerAbove(projectId: string, clientKey: string | undefined): Promise<Caller | undefined> {
    const named = clientKey === undefined ? undefined : await this.#clientProcesses.callerOf(projectId, clientKey);
    if (named !== undefined) return named;
    for (const pid of this.#line()) {
      const key = await this.#clientProcesses.keyOf(pid);
      const caller = key === undefined ? undefined : await this.#clientProcesses.callerOf(projectId, key);
      if (caller !== undefined) return caller;
    }
    const [only, ...others] = await this.#nearest(projectId);
    if (only === undefined || others.some(({ agentId }) => agentId !== only.agentId)) return undefined;
    const agent = await this.#context.db.read((read) => findAgent(read, only.agentId));
    return agent === undefined ? undefined : toCaller(agent, only);
  }

  /** The processes above this one, nearest first; the first of all is nobody's. */
  #line(): number[] {
    const { host } = this.#context;
    const line: number[] = [];
    for (let pid = host.parentOf(host.pid); pid !== undefined && pid > 1 && line.length < LONGEST_LINE; pid = host.parentOf(pid))
      line.push(pid);
    return line;
  }

  /** The live stdio sessions whose server has the nearest parent above this process. */
  async #nearest(projectId: string | null) {
    const { db, host } = this.#context;
    const line = this.#line();
    const near = (await db.read((read) => openSessions(read, projectId)))
      .filter((session) => session.door === 'stdio' && session.host === host.key && session.pid !== host.pid && host.isAlive(session.pid))
      .map((session) => ({ session, distance: line.indexOf(host.parentOf(session.pid) ?? 0) }))
      .filter(({ distance }) => distance >= 0);
    const nearest = Math.min(...near.map(({ distance }) => distance));
    return near.filter(({ distance }) => distance === nearest).map(({ session }) => session);
  }
}
