// Whether something that a reminder waits for is still open: an ask without its end, an approval without its
// decision, a task without its end, or a message that somebody still has to acknowledge or answer.

import { findApproval } from '../store/approvals.ts';
import { findAsk } from '../store/asks.ts';
import { deliveriesOf } from '../store/deliveries.ts';
import { findMessage } from '../store/messages.ts';
import { findTask } from '../store/tasks.ts';
import type { Act } from './command.ts';
import { isEnded } from './task-states.ts';

/** `concerning`: it must also be this agent's, on either side. An id of anything else is not open. */
export async function isStillOpen(act: Act, id: string, concerning?: string): Promise<boolean> {
  const ask = await findAsk(act.tx, act.projectId, id);
  if (ask !== undefined)
    return ask.state === 'open' && (concerning === undefined || ask.askerId === concerning || ask.targetId === concerning);
  const approval = await findApproval(act.tx, act.projectId, id);
  if (approval !== undefined) return approval.state === 'pending' && (concerning === undefined || approval.requesterId === concerning);
  const task = await findTask(act.tx, act.projectId, id);
  if (task !== undefined)
    return !isEnded(task) && (concerning === undefined || [task.creatorId, task.holderId, task.assigneeId].includes(concerning));
  const message = await findMessage(act.tx, act.projectId, id);
  if (message === undefined) return false;
  const deliveries = await deliveriesOf(act.tx, id);
  const visible = deliveries.filter((one) => concerning === undefined || message.senderId === concerning || one.recipientId === concerning);
  return visible.some((one) => one.state === 'ready' || one.state === 'leased' || (one.state === 'acked' && one.doneAt === null));
}
