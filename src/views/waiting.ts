// waiting: everything that waits for the operator, each with what is needed to settle it: questions, paused threads, dead letters, parked
// reminders, and mail. Approvals and questions travel as messages, too; each is listed once, as what it is.

import { toIso } from '../hub/clock.ts';
import { cutUtf8 } from '../hub/shown.ts';
import { renderHead } from '../tools/task-words.ts';
import { renderApproval } from './approvals.ts';
import { renderDelivery } from './overview.ts';
import { defineView, pageSize } from './view.ts';

export const waiting = defineView({
  name: 'waiting',
  what: 'What waits for you: approvals, tasks that need attention, asks put to you, paused threads, dead letters, parked reminders, mail; the oldest first',
  input: { limit: pageSize(50, 200) },
  async run({ hub, caller }, { limit }) {
    const [approvals, attention, asks, pauses, dead, parked, mail] = await Promise.all([
      hub.approvals.list(caller, { pending: true, limit }),
      hub.taskViews.list(caller, { state: 'needs_attention', limit }),
      hub.asks.putTo(caller, limit),
      hub.threads.paused(caller, limit),
      hub.overview.dead(caller, limit),
      hub.reminders.list(caller, { state: 'parked', everybody: true, limit }),
      hub.overview.inbox(caller, caller.name, limit),
    ]);
    const yours = approvals.filter(({ mine }) => mine);
    const listed = new Set([...asks, ...approvals].map(({ messageId }) => messageId));
    return {
      approvals: yours.map((one) => renderApproval(one, hub)),
      tasks: attention.tasks.map(renderHead),
      asks: asks.map((ask) => ({
        ask_id: ask.id,
        thread_id: ask.threadId,
        from: ask.asker,
        question: cutUtf8(ask.question, 0, hub.limits.inlineBodyBytes).text,
        options: ask.options,
        multi: ask.multi,
        asked_at: toIso(ask.askedAt),
        deadline_at: toIso(ask.deadlineAt),
      })),
      paused: pauses.map(({ threadId, reason, pausedAt }) => ({ thread_id: threadId, reason, paused_at: toIso(pausedAt) })),
      dead: dead.map(renderDelivery),
      parked: parked.map((one) => ({
        reminder_id: one.id,
        owner: one.owner,
        target: one.target,
        message: one.message,
        error: one.lastError ?? '',
        attempts: one.attemptCount,
        due_at: toIso(one.dueAt),
      })),
      mail: mail.filter(({ messageId }) => !listed.has(messageId)).map(renderDelivery),
    };
  },
});
export type WaitingReply = Awaited<ReturnType<typeof waiting.run>>;
