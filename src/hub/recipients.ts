// The recipients of a message as its sender is told of them: the state of each delivery, whether anybody is there, and how it learns of mail.

import { type AgentRow, findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type DeliveryRow, deliveriesOf } from '../store/deliveries.ts';
import type { MessageRow } from '../store/messages.ts';
import { findSession, latestSession, latestSessions, type SessionRow } from '../store/sessions.ts';
import { doorsOf } from '../store/wake-doors.ts';
import { toIso } from './clock.ts';
import type { HubContext } from './context.ts';
import { isLive } from './presence.ts';
import { sleeperAmong, wakeBy } from './wake-doors.ts';

export type Recipient = {
  name: string;
  state: DeliveryRow['state'];
  /** Whether a session of this agent is connected now. */
  reachable: boolean;
  /** The door by which it was woken at once, or can be woken for this; none: it is shown this on its next call. */
  wake: { door: string; proven_at?: string };
};

/** An agent with the sessions that say whether and how it is reached: its own newest, and the one that it lives in. */
export type Attached = { agent: AgentRow; own: SessionRow | undefined; session: SessionRow | undefined };

export async function attachedOf(read: Read, agent: AgentRow): Promise<Attached> {
  const own = await latestSession(read, agent.id);
  return { agent, own, session: agent.parentSessionId === null ? own : await findSession(read, agent.parentSessionId) };
}

/** The same of several agents, in their order. */
export async function attachedOfAll(read: Read, agents: readonly AgentRow[]): Promise<Attached[]> {
  const owns = await latestSessions(
    read,
    agents.map(({ id }) => id),
  );
  const attached: Attached[] = [];
  for (const agent of agents) {
    const own = owns.get(agent.id);
    attached.push({ agent, own, session: agent.parentSessionId === null ? own : await findSession(read, agent.parentSessionId) });
  }
  return attached;
}

/** Every recipient, by name. */
export async function recipientsOf(context: HubContext, read: Read, message: Pick<MessageRow, 'id' | 'wakes'>): Promise<Recipient[]> {
  const recipients: Recipient[] = [];
  for (const delivery of await deliveriesOf(read, message.id)) {
    const agent = await findAgent(read, delivery.recipientId);
    recipients.push(
      agent === undefined
        ? { name: 'unknown', state: delivery.state, reachable: false, wake: { door: delivery.wakeDoor ?? 'none' } }
        : await recipientOf(context, read, message.wakes, await attachedOf(read, agent), delivery),
    );
  }
  return byName(recipients);
}

export function byName(recipients: Recipient[]): Recipient[] {
  return recipients.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `wakes`: the message is worth waking its reader for. */
export async function recipientOf(
  context: HubContext,
  read: Read,
  wakes: boolean,
  to: Attached,
  { state, wakeDoor }: Pick<DeliveryRow, 'state' | 'wakeDoor'>,
): Promise<Recipient> {
  const wake = wakeDoor === null && wakes ? await wakeFor(context, read, to) : { door: wakeDoor ?? 'none' };
  return { name: to.agent.name, state, reachable: isLive(context, to.session), wake };
}

async function wakeFor(context: HubContext, read: Read, { agent, own, session }: Attached): Promise<Recipient['wake']> {
  const sleeper = sleeperAmong(context, agent, own, session);
  const { door, provenAt } = wakeBy(context, agent, sleeper, await doorsOf(read, sleeper.agentId));
  return { door, ...(provenAt === null ? {} : { proven_at: toIso(provenAt) }) };
}
