// overview: the project at a glance. How many are there, what is on its way, what does not move and why, and what is degraded.

import { toIso, toIsoOrNull } from '../hub/clock.ts';
import { type Hub, VERSION } from '../hub/hub.ts';
import type { NamedDelivery } from '../hub/overview.ts';
import { defineView } from './view.ts';

const STUCK = 20;

export const overview = defineView({
  name: 'overview',
  what: 'The project at a glance: deliveries by state, what is stuck and why, notices',
  input: {},
  async run({ hub, caller }) {
    const [deliveries, stuck, dutyNotices, root] = await Promise.all([
      hub.overview.deliveries(caller),
      hub.overview.stuck(caller, STUCK),
      hub.dutyNotices(),
      hub.projects.root(caller.projectId),
    ]);
    return {
      project: { id: caller.projectId, root },
      hub: hubFacts(hub),
      deliveries,
      stuck: stuck.map((one) => ({ ...renderDelivery(one), why: one.why })),
      notices: [...hub.notices(), ...dutyNotices],
    };
  },
});
export type OverviewReply = Awaited<ReturnType<typeof overview.run>>;

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
