// overview: the project at a glance. What is on its way, what does not move and why, who owes whom what, and what is degraded.

import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { NamedDelivery } from '../hub/overview.ts';
import type { TaskHead } from '../hub/task-views.ts';
import { renderHead } from '../tools/task-words.ts';
import { defineView } from './view.ts';

const STUCK = 20;
const OWED = 30;
const LOOKED_AT = 30;
const EXCERPT = 200;

export const overview = defineView({
  name: 'overview',
  what: 'The project at a glance: deliveries by state, what is stuck and why, notices',
  input: {},
  async run({ hub, caller }) {
    const [deliveries, stuck, tasks, { owed, more }, dutyNotices, root] = await Promise.all([
      hub.overview.deliveries(caller),
      hub.overview.stuck(caller, STUCK),
      hub.taskViews.list(caller, { state: 'submitted', order: 'next', limit: LOOKED_AT }),
      hub.overview.owed(caller, OWED),
      hub.dutyNotices(),
      hub.projects.root(caller.projectId),
    ]);
    return {
      project: { id: caller.projectId, root },
      hub: hubFacts(hub),
      deliveries,
      stuck: stuck.map((one) => ({ ...renderDelivery(one), why: one.why })),
      stuck_tasks: tasks.tasks.filter((task) => isStuck(task, hub)).map(renderHead),
      owed: owed.map(({ kind, id, by, to, text, since, dueAt, threadId, present }) => ({
        ...{ kind, id, by, to, present, thread_id: threadId },
        text: text.slice(0, EXCERPT),
        since: toIso(since),
        due_at: toIsoOrNull(dueAt),
      })),
      owed_more: more,
      notices: [...hub.notices(), ...dutyNotices],
    };
  },
});
export type OverviewReply = Awaited<ReturnType<typeof overview.run>>;

/** To do, and nobody has begun it for as long as makes a message stalled, though nothing that it waits for is in its way. */
function isStuck({ updatedAt, waitingOn, openChildren, notBefore }: TaskHead, { context, limits }: Hub): boolean {
  const now = context.time.now();
  return waitingOn === 0 && openChildren === 0 && now - Math.max(updatedAt, notBefore ?? 0) > limits.stalledAfterMs;
}

function hubFacts(hub: Hub) {
  return { version: VERSION, instance_id: hub.instanceId, boot_id: hub.bootId, schema: hub.schema, started_at: toIso(hub.startedAt) };
}

/** A delivery as those who oversee see it. */
export function renderDelivery(delivery: NamedDelivery) {
  return {
    message_id: delivery.messageId,
    thread_id: delivery.threadId,
    seq: delivery.seq,
    from: delivery.from,
    to: delivery.to,
    subject: delivery.subject,
    excerpt: delivery.excerpt,
    ref: delivery.ref,
    expects_reply: delivery.expectsReply,
    state: delivery.state,
    urgent: delivery.urgent,
    attempts: delivery.attempt,
    accepted_at: toIso(delivery.createdAt),
    first_shown_at: toIsoOrNull(delivery.firstShownAt),
    closed_at: toIsoOrNull(delivery.closedAt),
    reason: delivery.reason,
  };
}
export type DeliveryLine = ReturnType<typeof renderDelivery>;
