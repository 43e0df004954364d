// The doors by which agents can be woken: which there are, who hosts them, and which one is told to senders. A hosted door belongs to a process of
// the client's session and is open while both live; like presence it is derived, and opening one is no event. A registered door is the
// operator's word (C15): an agent cannot say what is to be run or called in its name.

import { findAgentByName } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { latestSession, type SessionRow } from '../store/sessions.ts';
import { closeDoor, type DoorRow, doorsOf, openDoor, WAKE_DOORS, type WakeDoor } from '../store/wake-doors.ts';
import { assertOversees, authorityOf, type Caller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { isLive, sessionOf } from './presence.ts';
import { inOrder } from './wake-policy.ts';

/** Whose client a hosted door reaches: an agent in one session of its. */
export type Sleeper = Pick<Caller, 'projectId' | 'agentId' | 'sessionId'>;
export type HostedKind = Exclude<WakeDoor, 'command' | 'webhook'>;

/** What the operator registers for an agent that has no process of its own. */
export type WakeTarget =
  | { kind: 'command'; program: string; args: readonly string[] }
  | { kind: 'webhook'; url: string; secret: string; allowPrivate: boolean }
  | { kind: 'codex_queue'; thread: string };

/** The door by which an agent can be woken now, and when a wake-up by it was last followed by reading. */
export type WakeView = { door: WakeDoor | 'waiting_call' | 'none'; provenAt: number | null };

/** A door that is opened as a turn ends may see the turn end a little later. */
const TURN_GRACE_MS = 15_000;

export class WakeDoors {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Opens a door that this process hosts, or takes it over. Answers its id. */
  async open({ projectId, agentId, sessionId }: Sleeper, kind: HostedKind): Promise<string> {
    const { ids, host, time, db } = this.#context;
    const door = { projectId, agentId, kind, registered: false, target: null, sessionId, host: host.key, pid: host.pid };
    return await db.write(projectId, (tx) => openDoor(tx, { ...door, id: ids.next('dor'), openedAt: time.now() }), 'relaxed');
  }

  /** Closes a door of this process; one that another has taken over stays. */
  async close({ projectId }: Sleeper, doorId: string): Promise<void> {
    const { host, time, db } = this.#context;
    await db.write(projectId, (tx) => closeDoor(tx, doorId, { host: host.key, pid: host.pid }, time.now()), 'relaxed');
  }

  /**
   * Whether a process beside a client has to host a door of this kind, or to go on with it: not when one that comes before it has worked in this
   * session, not when another process has taken it over or the session is over, and not through a whole turn.
   */
  async isNeeded({ agentId, sessionId }: Sleeper, kind: HostedKind, hosts: boolean): Promise<boolean> {
    const { db, host, time } = this.#context;
    return await db.read(async (read) => {
      const session = await latestSession(read, agentId);
      if (session?.id !== sessionId) return false;
      const doors = (await doorsOf(read, agentId)).filter((door) => isOpen(this.#context, door, session));
      if (doors.some((door) => hasWorked(door) && WAKE_DOORS.indexOf(door.kind) < WAKE_DOORS.indexOf(kind))) return false;
      const ours = doors.find((door) => door.kind === kind && door.host === host.key && door.pid === host.pid);
      if (ours === undefined) return !hosts;
      return session.turnStartedAt === null || time.now() - ours.openedAt < TURN_GRACE_MS;
    });
  }

  /** Every door of an agent that nobody closed, the best first, for those who oversee it. Errors: `forbidden`, `not_found`. */
  async list(caller: Caller, name: string): Promise<(DoorRow & { open: boolean })[]> {
    assertOversees(caller, 'see the doors of others');
    return await this.#context.commands.look(caller, async (read) => {
      const agent = await findAgentByName(read, caller.projectId, name);
      if (agent === undefined) throw unknown(name);
      const session = await latestSession(read, agent.id);
      return inOrder(await doorsOf(read, agent.id)).map((door) => ({ ...door, open: isOpen(this.#context, door, session) }));
    });
  }

  /** Registers the one door of an agent that needs no process, in place of any before it. Errors: `forbidden`, `not_found`. */
  async register(caller: Caller, name: string, target: WakeTarget): Promise<{ agent: string; door: WakeDoor }> {
    return await this.#change(caller, name, async (act, agentId) => {
      await openDoor(act.tx, {
        id: this.#context.ids.next('dor'),
        projectId: act.projectId,
        agentId,
        kind: target.kind,
        registered: true,
        target: JSON.stringify(target),
        sessionId: null,
        host: null,
        pid: null,
        openedAt: act.now,
      });
      // The target may hold a secret or say more than a log should: the event names the kind.
      await act.emit('door.registered', agentId, { agent: name, door: target.kind });
      return { agent: name, door: target.kind };
    });
  }

  /** Takes back what was registered. Answers whether there was anything. */
  async unregister(caller: Caller, name: string): Promise<{ agent: string; removed: boolean }> {
    return await this.#change(caller, name, async (_act, _agentId, removed) => ({ agent: name, removed }));
  }

  /** One of the operator's acts on an agent's registered door, after the one it had is closed. */
  async #change<T extends object>(
    caller: Caller,
    name: string,
    change: (act: Act, agentId: string, removed: boolean) => Promise<T>,
  ): Promise<T> {
    if (authorityOf(caller.role) !== 'operator') {
      throw new HubError('forbidden', 'Only the operator says what is run or called to wake an agent; nothing was changed.', {
        hint: 'Ask the operator: rookery agents wake NAME --help',
      });
    }
    return await this.#context.commands.run(caller, { tool: 'wake_door' }, async (act) => {
      const agent = await findAgentByName(act.tx, act.projectId, name);
      if (agent === undefined || authorityOf(agent.role) === 'hub') throw unknown(name);
      let removed = false;
      for (const door of await doorsOf(act.tx, agent.id)) {
        if (!door.registered || !(await closeDoor(act.tx, door.id, null, act.now))) continue;
        await act.emit('door.removed', agent.id, { agent: name, door: door.kind });
        removed = true;
      }
      return await change(act, agent.id, removed);
    });
  }
}

function unknown(name: string): HubError {
  return new HubError('not_found', `No agent of this project is called "${name.slice(0, 48)}"; nothing was changed.`, {
    hint: 'rookery agents lists them.',
  });
}

/** Whether a wake-up by it was followed by reading since it was opened, and none was in vain since then. */
function hasWorked({ openedAt, provenAt, failures }: DoorRow): boolean {
  return provenAt !== null && provenAt >= openedAt && failures === 0;
}

/** Whether a door can be used now: registered, or hosted by a living process for the session that holds the agent. */
export function isOpen(context: HubContext, door: DoorRow, session: SessionRow | undefined): boolean {
  if (door.closedAt !== null) return false;
  if (door.registered) return true;
  if (session === undefined || session.id !== door.sessionId || !isLive(context, session)) return false;
  return door.host !== context.host.key || (door.pid !== null && context.host.isAlive(door.pid));
}

/** The agent whose client is woken for mail to this one, and its session: itself, or the agent in whose session a sub-agent lives. */
export async function sleeperOf(
  context: HubContext,
  read: Read,
  agent: { id: string; parentSessionId: string | null },
): Promise<{ agentId: string; session: SessionRow | undefined }> {
  const session = await sessionOf(read, agent);
  const own = agent.parentSessionId === null ? session : await latestSession(read, agent.id);
  return sleeperAmong(context, agent, own, session);
}

/** The same of the agent's own newest session and the one that it lives in. */
export function sleeperAmong(
  context: HubContext,
  agent: { id: string },
  own: SessionRow | undefined,
  session: SessionRow | undefined,
): { agentId: string; session: SessionRow | undefined } {
  if (session !== undefined && session.agentId !== agent.id && isLive(context, session)) return { agentId: session.agentId, session };
  return { agentId: agent.id, session: own };
}

/** How an agent learns of mail at once: by waiting, or by the best of these doors of whoever is woken for it. */
export function wakeBy(
  context: HubContext,
  agent: { id: string },
  { agentId, session }: { agentId: string; session: SessionRow | undefined },
  doors: readonly DoorRow[],
): WakeView {
  const waits = agentId === agent.id && isLive(context, session) && (session?.waitingUntil ?? 0) > context.time.now();
  if (waits) return { door: 'waiting_call', provenAt: null };
  const [best] = inOrder(doors.filter((door) => isOpen(context, door, session)));
  return best === undefined ? { door: 'none', provenAt: null } : { door: best.kind, provenAt: best.provenAt };
}
