// Forgetting the oldest events. The history then begins later, and says so: an event names the seq and hash from which the chain goes on, and how
// many of the messages and deliveries that the forgotten part told of were not swept yet. With that, verify counts as before.

import { eventsAfter } from '../store/events.ts';
import { findProject } from '../store/projects.ts';
import { type Base, deleteEventsUpTo, nthNewestEvent } from '../store/sweep-events.ts';
import type { Counts } from '../store/sweeps.ts';
import type { HubContext } from './context.ts';
import { accountOf } from './event-accounts.ts';
import type { SweepPlan } from './sweep-plan.ts';

export async function* forgetEvents(
  { db, commands, limits }: HubContext,
  projectId: string,
  plan: SweepPlan['events'],
  by: { agentId: string },
): AsyncGenerator<Counts, void, undefined> {
  const counted = await db.read((read) => nthNewestEvent(read, projectId, plan.kept + 1));
  for (;;) {
    const went = await commands.runAs(projectId, by, async (act) => {
      const project = await findProject(act.tx, projectId);
      if (project === undefined) return 0;
      const page = await eventsAfter(act.tx, projectId, project.base.seq, limits.sweepBatch);
      const old = page.filter((event) => event.seq < project.eventSeq && (event.at < plan.before || event.seq <= counted));
      const last = old.at(-1);
      if (last === undefined) return 0;
      const base: Base = { ...project.base, seq: last.seq, hash: last.hash };
      for (const event of old) {
        const { messages, deliveries } = accountOf(event);
        base.messages += messages;
        base.deliveries += deliveries;
      }
      const events = await deleteEventsUpTo(act.tx, projectId, base);
      await act.emit('retention.forgotten', 'retention', {
        through: base.seq,
        hash: base.hash,
        events,
        messages: base.messages,
        deliveries: base.deliveries,
      });
      return events;
    });
    yield { events: went };
    if (went < limits.sweepBatch) return;
  }
}
