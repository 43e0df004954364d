// What becomes of a message that carries something owed (an ask, a task) when that is dealt with or is moot, whether or not it was read.

import { findAgent } from '../store/agents.ts';
import { acknowledge, close, findDelivery, markDone } from '../store/deliveries.ts';
import type { Act } from './command.ts';
import { traceAcked } from './message-traces.ts';

/** Its reader has dealt with it: that acknowledges the message, and no reply is owed any more (C4). */
export async function settleMessage(act: Act, messageId: string, readerId: string): Promise<void> {
  const delivery = await findDelivery(act.tx, messageId, readerId);
  if (delivery === undefined) return;
  if (await acknowledge(act.tx, delivery, 'reply', act.now)) {
    const by = (await findAgent(act.tx, readerId))?.name ?? 'unknown';
    await act.emit('message.acked', messageId, { by, how: 'reply', attempt: delivery.attempt });
    await traceAcked(act, delivery, 'reply');
  } else await markDone(act.tx, messageId, readerId, act.now);
}

/** It is moot: who has not seen it never will, and its next batch says why. Answers whether its reader had seen it. */
export async function withdrawMessage(
  act: Act,
  messageId: string,
  readerId: string,
  state: 'expired' | 'recalled',
  why: string,
): Promise<boolean> {
  const delivery = await findDelivery(act.tx, messageId, readerId);
  if (delivery === undefined) return false;
  await close(act.tx, messageId, readerId, state, why, act.now);
  await markDone(act.tx, messageId, readerId, act.now);
  return delivery.firstShownAt !== null;
}
