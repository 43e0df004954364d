// Who a client is, by the process that runs it. The client's SessionStart hook tells which session of the client a process runs; the server
// that the same process started looks its parent up here and attaches under that key. So an agent keeps its name through resume, clear and
// compaction, whatever its client tells the server, and is present from its client's start. `claude mcp list` starts no session: it is nobody.

import { bindClient, findAgent, findBinding } from '../store/agents.ts';
import {
  clientProcessesBefore,
  clientProcessesOf,
  findClientProcess,
  forgetClientProcess,
  saveClientProcess,
} from '../store/client-processes.ts';
import type { Tx } from '../store/db.ts';
import { findProject } from '../store/projects.ts';
import { findSession, latestSession, setClientKey } from '../store/sessions.ts';
import { type Caller, toCaller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';

export class ClientProcesses {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * A hook says that the process `pid` runs the client's session `clientKey`, in the project. A new key of the same process (the person
   * cleared the conversation) is the same agent, unless it is somebody already (the person resumed another one).
   */
  async record(projectId: string, pid: number, clientKey: string): Promise<void> {
    const { db, commands, host, time } = this.#context;
    const born = host.bornOf(pid);
    if (born === undefined) return;
    const save = async (tx: Tx): Promise<string | undefined> => {
      const known = await findClientProcess(tx, host.key, pid);
      await saveClientProcess(tx, { host: host.key, pid, born, clientKey, seenAt: time.now() });
      return known?.born === born && known.clientKey !== clientKey ? known.clientKey : undefined;
    };
    const isKnown = (await db.read((read) => findProject(read, projectId))) !== undefined;
    if (!isKnown) {
      await db.write('', save);
      return;
    }
    await commands.runAs(projectId, { agentId: 'hub' }, async (act) => {
      const before = await save(act.tx);
      if (before !== undefined) await this.#goOn(act, before, clientKey);
    });
  }

  /**
   * The client's session that a process of this host runs, if a hook told. `born`: what tells the process from a later one, for whoever asks
   * again and again; not every system answers that from memory.
   */
  async keyOf(pid: number, born?: string): Promise<string | undefined> {
    const { db, host } = this.#context;
    const found = await db.read((read) => findClientProcess(read, host.key, pid));
    return found !== undefined && found.born === (born ?? host.bornOf(pid)) ? found.clientKey : undefined;
  }

  /** Whether what a client's server takes for its session has been ended while it lives. */
  async hasEnded(caller: Caller): Promise<boolean> {
    return (await this.#context.db.read((read) => findSession(read, caller.sessionId)))?.endedAt !== null;
  }

  /** The client has ended, or the session in it. */
  async forget(pid: number): Promise<void> {
    const { db, host } = this.#context;
    await db.write('', (tx) => forgetClientProcess(tx, host.key, pid));
  }

  /** The agent that a client's session is, in its latest session; undefined when it is nobody yet, or another client holds the agent now. */
  async callerOf(projectId: string, clientKey: string): Promise<Caller | undefined> {
    return (await this.heardFrom(projectId, clientKey))?.caller;
  }

  /** The same, with whether that session is open. */
  async heardFrom(projectId: string, clientKey: string): Promise<{ caller: Caller; isOpen: boolean } | undefined> {
    return await this.#context.db.read(async (read) => {
      const agentId = await findBinding(read, projectId, clientKey);
      const agent = agentId === undefined ? undefined : await findAgent(read, agentId);
      const session = agent && (await latestSession(read, agent.id));
      if (agent === undefined || session?.clientKey !== clientKey) return undefined;
      return { caller: toCaller(agent, session), isOpen: session.endedAt === null };
    });
  }

  /** Duty: processes of this host that are gone, and those of other hosts that nobody told of for long. */
  async forgetGone(): Promise<number> {
    const { db, host, limits, time } = this.#context;
    const before = time.now() - limits.clientProcessKeptMs;
    const told = await db.read(async (read) => [
      ...(await clientProcessesOf(read, host.key, limits.dueBatch)),
      ...(await clientProcessesBefore(read, before, limits.dueBatch)),
    ]);
    const gone = told.filter((one) => (one.host === host.key ? !host.isAlive(one.pid) : one.seenAt < before));
    if (gone.length > 0) {
      await db.write(
        '',
        async (tx) => {
          for (const one of gone) await forgetClientProcess(tx, one.host, one.pid);
        },
        'relaxed',
      );
    }
    return gone.length;
  }

  async #goOn(act: Act, before: string, clientKey: string): Promise<void> {
    const agentId = await findBinding(act.tx, act.projectId, before);
    const bound = await findBinding(act.tx, act.projectId, clientKey);
    if (agentId === undefined || (bound !== undefined && bound !== agentId)) return;
    const session = await latestSession(act.tx, agentId);
    if (session?.clientKey !== before) return;
    await bindClient(act.tx, act.projectId, clientKey, agentId, act.now);
    await setClientKey(act.tx, session.id, clientKey);
    await act.emit('session.continued', session.id, { agent: (await findAgent(act.tx, agentId))?.name ?? '' });
  }
}
