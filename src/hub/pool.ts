// Messages for any of several ("any:"): each of them has a delivery; whoever is shown or answers it first has it, and the others see it taken.

import { close, type DeliveryRow, deliveriesOf, makeReady } from '../store/deliveries.ts';
import { isPool } from '../store/messages.ts';
import type { Act } from './command.ts';

/** Takes a message for one of its recipients, if it was offered to several. */
export async function takeFromPool(act: Act, takerName: string, taken: Pick<DeliveryRow, 'messageId' | 'recipientId'>): Promise<void> {
  if (!(await isPool(act.tx, taken.messageId))) return;
  for (const other of await deliveriesOf(act.tx, taken.messageId)) {
    if (other.recipientId === taken.recipientId || other.state !== 'ready') continue;
    await close(act.tx, other.messageId, other.recipientId, 'recalled', `taken by ${takerName}`, act.now);
  }
}

/** Offers a message to those who had seen it taken. Answers whether there was anybody. */
export async function reopenPool(act: Act, taken: DeliveryRow): Promise<boolean> {
  let reopened = false;
  for (const other of await deliveriesOf(act.tx, taken.messageId)) {
    if (other.recipientId === taken.recipientId || other.state !== 'recalled') continue;
    await makeReady(act.tx, other, act.now, other.attemptLimit, null);
    reopened = true;
  }
  return reopened;
}
