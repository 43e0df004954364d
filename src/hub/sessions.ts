// Sessions: how a client becomes an agent and stops being one. Attaching raises the agent's epoch, which fences every earlier session (C5).
// Two live sessions of one agent are refused; a dead or silent one is replaced, and its successor is shown at once what it left.

import {
  type AgentRow,
  bindClient,
  findAgent,
  findAgentByName,
  findBinding,
  raiseEpoch,
  touchAgent,
  updateAgent,
} from '../store/agents.ts';
import { countCrash } from '../store/deliveries.ts';
import {
  type Door,
  endSession,
  findSession,
  insertSession,
  latestSession,
  reviveSession,
  type SessionRow,
  setClientKey,
  setWaiting,
} from '../store/sessions.ts';
import { shortenLeases } from '../store/task-leases.ts';
import { giveUpToolUses } from '../store/tool-uses.ts';
import { authorityOf, type Caller, toCaller } from './caller.ts';
import { toIso } from './clock.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { identified, isKnown } from './identifying.ts';
import { assertGrantable, assertName } from './names.ts';
import { endsWithCommand, isLive } from './presence.ts';
import type { Project, Projects } from './projects.ts';
import { assertNotRevoked } from './revoked.ts';
import { endTurn } from './turns.ts';

export type Attachment = {
  project: Project;
  door: Door;
  client: {
    name: string;
    version: string;
    /** The client's own session, if it tells one. */
    key?: string | undefined;
    /** The process of the client, where it started this server itself. */
    pid?: number | undefined;
  };
  /** Where the client works; absolute paths below it are made project-relative. */
  root: string;
  /** A name given by flag, environment, credential or `join`. Absent: the name bound to the client's session, else a fresh one. */
  name?: string | undefined;
  /** The name came as an argument of `join`: it then cannot be that of a manager. */
  nameByArgument?: boolean | undefined;
  /** A role given by configuration or credential; never by an argument. */
  role?: string | undefined;
  /** A one-time token by which the client becomes the agent that was made for it. */
  enrol?: string | undefined;
  takeover?: boolean | undefined;
  /** Nobody called yet: it takes the agent from no live session, not even from one of the same client. */
  yields?: boolean | undefined;
};

/** A session that dies within this time of being shown a batch may have died of it (C11). */
const CRASH_WINDOW_MS = 60_000;

export class Sessions {
  readonly #context: HubContext;
  readonly #projects: Projects;

  constructor(context: HubContext, projects: Projects) {
    this.#context = context;
    this.#projects = projects;
  }

  /** Attaches a client as an agent. Errors: `agent_busy` when another live session holds it; `invalid_input` for a bad name. */
  async attach(attachment: Attachment): Promise<Caller> {
    if (attachment.name !== undefined) assertName(attachment.name);
    if (attachment.role !== undefined) assertGrantable(attachment.role);
    await this.#projects.ensure(attachment.project);
    return await this.#context.commands.runAs(attachment.project.id, { agentId: 'hub' }, async (act) => {
      return await this.take(act, await identified(this.#context, act, attachment), attachment);
    });
  }

  /** The live session of an agent, whatever its door, else a fresh attachment: for calls that come without a session of their own. */
  async borrow(attachment: Attachment & { name: string }): Promise<Caller> {
    return (await this.live(attachment.project.id, attachment.name)) ?? (await this.attach(attachment));
  }

  /** The live session of an agent, if it has one. */
  live(projectId: string, name: string): Promise<Caller | undefined> {
    return this.#context.db.read(async (read) => {
      const agent = await findAgentByName(read, projectId, name);
      const session = agent && (await latestSession(read, agent.id));
      return agent !== undefined && session !== undefined && isLive(this.#context, session) ? toCaller(agent, session) : undefined;
    });
  }

  /** A session that was ended for its silence is open again, because its client is heard of. Throws `stale_session` when it was replaced. */
  async revive(caller: Caller): Promise<void> {
    await this.#context.commands.run(caller, { tool: 'session.revive', durability: 'relaxed' }, async () => ({}));
  }

  /**
   * The client of this caller goes on in another session of its own, `attachment.client.key`. It stays the same agent; but where the person
   * resumed a conversation that is another agent's, and no configuration names this one, it becomes that. Errors: `agent_busy`.
   */
  async follow(caller: Caller, attachment: Attachment): Promise<Caller> {
    const { key } = attachment.client;
    if (key === undefined) return caller;
    return await this.#context.commands.run(caller, { tool: 'session.follow' }, async (act) => {
      const bound = await findBinding(act.tx, act.projectId, key);
      const other = bound === undefined || bound === caller.agentId ? undefined : await findAgent(act.tx, bound);
      if (other === undefined || attachment.name !== undefined) {
        await bindClient(act.tx, act.projectId, key, caller.agentId, act.now);
        await setClientKey(act.tx, caller.sessionId, key);
        return caller;
      }
      const next = await this.take(act, other, attachment);
      const old = await findSession(act.tx, caller.sessionId);
      if (old !== undefined) await this.endOne(act, old, 'left');
      return next;
    });
  }

  /** Whether this caller's session still holds its agent. */
  async holds(caller: Caller): Promise<boolean> {
    if (caller.epoch === null) return true;
    const latest = await this.#context.db.read((read) => latestSession(read, caller.agentId));
    return latest?.id === caller.sessionId && latest.endReason !== 'left' && latest.endReason !== 'revoked';
  }

  /** A registered sub-agent of the calling session, as a caller: the only case in which an argument names who acts (C15). */
  async actingAs(caller: Caller, name: string): Promise<Caller> {
    const child = await this.#context.db.read((read) => findAgentByName(read, caller.projectId, name));
    if (child === undefined || child.parentId !== caller.agentId || child.parentSessionId !== caller.sessionId) {
      throw new HubError('forbidden', `as: this session registered no sub-agent of that name.`, {
        hint: 'Register it first: join with name and child_of_me: true.',
      });
    }
    return {
      ...caller,
      agentId: child.id,
      name: child.name,
      role: child.role,
      model: child.model || caller.model,
      parentId: caller.agentId,
    };
  }

  /** Whether a client that attaches like this is somebody already. */
  async knows(attachment: Attachment): Promise<boolean> {
    return await this.#context.db.read((read) => isKnown(this.#context, read, attachment));
  }

  /** Says that the session is parked until then (null: no more), so that senders know it will look at once. */
  async park(caller: Caller, until: number | null): Promise<void> {
    if (caller.epoch === null) return;
    await this.#context.db.write(caller.projectId, async (tx) => setWaiting(tx, caller.sessionId, until), 'relaxed');
  }

  /**
   * Ends a session: its client closed it, or the process shuts down. Idempotent. What it was shown stays for its successor. `unlessHeardAt`: not when
   * it goes on at another hub, which has taken it over, or heard of it after that instant.
   */
  async end(caller: Caller, reason: 'closed' | 'shutdown', unlessHeardAt?: number): Promise<void> {
    if (caller.epoch === null) return;
    await this.#context.commands.runAs(caller.projectId, { agentId: caller.agentId }, async (act) => {
      const session = await findSession(act.tx, caller.sessionId);
      if (session === undefined) return;
      const { key, pid } = this.#context.host;
      const isElsewhere = session.host !== key || session.pid !== pid || session.heartbeatAt > (unlessHeardAt ?? 0);
      if (unlessHeardAt === undefined || !isElsewhere) await this.endOne(act, session, reason);
    });
  }

  /** Two servers of one client, such as a probe and the one that stays, are one session. */
  #isOneClient(holder: SessionRow, { client }: Attachment): boolean {
    return holder.clientPid !== null && holder.clientPid === client.pid && holder.host === this.#context.host.key;
  }

  /** Makes the client the holder of the agent, or refuses. */
  async take(act: Act, agent: AgentRow, attachment: Attachment): Promise<Caller> {
    assertNotRevoked(agent);
    if (authorityOf(agent.role) !== 'agent' && attachment.nameByArgument === true && attachment.role !== agent.role) {
      throw new HubError('forbidden', `${agent.name} is a ${agent.role}; that name is given by configuration only.`, {
        hint: 'Start the session with ROOKERY_AGENT and ROOKERY_ROLE, or choose another name.',
      });
    }
    const parent = agent.parentSessionId === null ? undefined : await findSession(act.tx, agent.parentSessionId);
    if (parent !== undefined && isLive(this.#context, parent) && attachment.takeover !== true) throw busy(agent.name, parent);
    const holder = await latestSession(act.tx, agent.id);
    if (holder !== undefined && continues(holder, attachment)) {
      if (holder.endedAt !== null) await act.emit('session.revived', holder.id, { agent: agent.name });
      await reviveSession(act.tx, holder.id, act.now, this.#context.host);
      return toCaller(agent, holder);
    }
    if (holder !== undefined && holder.endedAt === null) {
      const live = isLive(this.#context, holder);
      const returned = holder.clientKey !== null && holder.clientKey === attachment.client.key;
      if (live && returned && attachment.takeover !== true && this.#isOneClient(holder, attachment)) return toCaller(agent, holder);
      if (live && attachment.takeover !== true && (!returned || attachment.yields === true)) throw busy(agent.name, holder);
      await this.endOne(act, holder, live ? 'superseded' : 'silent');
    }
    const epoch = agent.epoch + 1;
    await raiseEpoch(act.tx, agent.id, epoch);
    const session: SessionRow = {
      id: this.#context.ids.next('ses'),
      projectId: act.projectId,
      agentId: agent.id,
      epoch,
      door: attachment.door,
      clientName: attachment.client.name,
      clientVersion: attachment.client.version,
      clientKey: attachment.client.key ?? null,
      clientPid: attachment.client.pid ?? null,
      root: attachment.root,
      host: this.#context.host.key,
      pid: this.#context.host.pid,
      startedAt: act.now,
      calledAt: null,
      heartbeatAt: act.now,
      waitingUntil: null,
      shownAt: null,
      hookedAt: null,
      turnStartedAt: null,
      turnKey: null,
      turnDoor: null,
      transcript: null,
      turnEndedAt: null,
      endedAt: null,
      endReason: null,
    };
    await insertSession(act.tx, session);
    if (attachment.client.key !== undefined) await bindClient(act.tx, act.projectId, attachment.client.key, agent.id, act.now);
    const role = attachment.role ?? agent.role;
    await updateAgent(act.tx, {
      ...agent,
      role,
      client: attachment.client.name,
      parentId: null,
      parentSessionId: null,
      lastSeenAt: act.now,
    });
    await act.emit('session.started', session.id, {
      agent: agent.name,
      epoch,
      door: session.door,
      client: session.clientName,
    });
    return toCaller({ ...agent, role, epoch }, session);
  }

  /** Ends a session that is open; if it had just been shown messages, its death counts against them. */
  async endOne(act: Act, session: SessionRow, reason: string): Promise<boolean> {
    if (!(await endSession(act.tx, session.id, act.now, reason))) return false;
    // Whoever fell silent died when it was last heard of, not when that was noticed.
    const diedAt = reason === 'silent' ? session.heartbeatAt : act.now;
    if (session.shownAt !== null && diedAt - session.shownAt <= CRASH_WINDOW_MS) await countCrash(act.tx, session.agentId, session.id);
    await touchAgent(act.tx, session.agentId, Math.min(act.now, session.heartbeatAt));
    if (session.turnStartedAt !== null) await endTurn(act, this.#context.ids, session, 'interrupted', null);
    else await giveUpToolUses(act.tx, session.id, act.now);
    if (!endsWithCommand(session)) await shortenLeases(act.tx, session, act.now + this.#context.limits.taskOrphanMs);
    await act.emit('session.ended', session.id, { reason });
    return true;
  }
}

/** A client of HTTP that comes with the key of its session goes on in it, whichever hub it reaches. */
function continues(holder: SessionRow, { door, client, takeover }: Attachment): boolean {
  const isSame = holder.clientKey !== null && holder.clientKey === client.key;
  return isSame && door === 'http' && holder.door === 'http' && holder.endReason !== 'left' && takeover !== true;
}

function busy(name: string, holder: SessionRow): HubError {
  return new HubError(
    'agent_busy',
    `${name} is held by a live session: ${holder.clientName} (${holder.id}, last heard of ${toIso(holder.heartbeatAt)}).`,
    {
      hint: 'Join under another name, or take this one over with takeover: true if that session is yours and no longer needed.',
      retryAfterMs: 60_000,
    },
  );
}
