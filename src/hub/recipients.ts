// The recipients of a message as its sender is told of them: the state of each delivery, whether anybody is there, and how it learns of mail.

import { type AgentRow, findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type DeliveryRow, deliveriesOf } from '../store/deliveries.ts';
import type { MessageRow } from '../store/messages.ts';
import { toIso } from './clock.ts';
import type { HubContext } from './context.ts';
import { isLive, sessionOf } from './presence.ts';
import { wakeOf } from './wake-doors.ts';

export type Recipient = {
  name: string;
  state: DeliveryRow['state'];
  /** Whether a session of this agent is connected now. */
  reachable: boolean;
  /** The door by which it was woken at once, or can be woken for this; none: it is shown this on its next call. */
  wake: { door: string; proven_at?: string };
};

/** Every recipient, by name. */
export async function recipientsOf(context: HubContext, read: Read, message: Pick<MessageRow, 'id' | 'wakes'>): Promise<Recipient[]> {
  const recipients: Recipient[] = [];
  for (const delivery of await deliveriesOf(read, message.id)) {
    const agent = await findAgent(read, delivery.recipientId);
    const session = agent && (await sessionOf(read, agent));
    recipients.push({
      name: agent?.name ?? 'unknown',
      state: delivery.state,
      reachable: isLive(context, session),
      wake: await wakeFor(context, read, message.wakes ? agent : undefined, delivery),
    });
  }
  return recipients.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function wakeFor(context: HubContext, read: Read, agent: AgentRow | undefined, delivery: DeliveryRow): Promise<Recipient['wake']> {
  if (delivery.wakeDoor !== null || agent === undefined) return { door: delivery.wakeDoor ?? 'none' };
  const { door, provenAt } = await wakeOf(context, read, agent);
  return { door, ...(provenAt === null ? {} : { proven_at: toIso(provenAt) }) };
}
