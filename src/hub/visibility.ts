// Which messages a caller may see: the one rule behind status, reading, replying and threads (C16).

import type { Read } from '../store/db.ts';
import { type DeliveryRow, findDelivery } from '../store/deliveries.ts';
import { findMessageHead, type MessageHead } from '../store/messages.ts';
import { type Caller, oversees } from './caller.ts';
import { HubError } from './errors.ts';

/** By this begins the reason of a delivery that the operator keeps from its recipient. */
export const QUARANTINED = 'quarantined by ';

function isQuarantined({ state, reason }: DeliveryRow): boolean {
  return state === 'dead' && reason?.startsWith(QUARANTINED) === true;
}

/** A message of the caller's: one it sent, was sent, or may oversee. Anything else is `not_found`, whether it exists or not (C16). */
export async function findMessageFor(read: Read, caller: Caller, messageId: string): Promise<MessageHead> {
  const message = await findMessageHead(read, caller.projectId, messageId);
  if (message !== undefined && (message.senderId === caller.agentId || oversees(caller))) return message;
  const delivery = message && (await findDelivery(read, messageId, caller.agentId));
  if (message !== undefined && delivery !== undefined && delivery.state !== 'recalled' && !isQuarantined(delivery)) return message;
  throw new HubError('not_found', `No message ${messageId.slice(0, 40)} that you sent or were sent.`, {
    hint: 'Ids are printed by send, recv_batch and get_thread.',
  });
}
