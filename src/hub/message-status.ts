// The truth about one message, per recipient (C10): what happened when, by which door, and in one sentence why it is not further.

import { findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type DeliveryRow, deliveriesOf } from '../store/deliveries.ts';
import type { MessageHead } from '../store/messages.ts';
import { findSession, type SessionRow } from '../store/sessions.ts';
import { type Caller, OPERATOR, oversees } from './caller.ts';
import { toIso, toIsoOrNull } from './clock.ts';
import type { HubContext } from './context.ts';
import { isLive, sessionOf } from './presence.ts';
import { isQuarantined } from './quarantine.ts';
import { findMessageFor } from './visibility.ts';
import { sleeperOf } from './wake-doors.ts';
import { ago, type WakeAttempt, wakeClause, wakeHistory } from './wake-history.ts';
import type { Considered, Waking } from './waking.ts';

export type DeliveryStatus = {
  recipient: string;
  state: DeliveryRow['state'];
  accepted_at: string;
  first_shown_at: string | null;
  first_shown_to: string | null;
  acked_at: string | null;
  acked_by: string | null;
  done_at: string | null;
  attempts: number;
  wake_attempts: WakeAttempt[];
  why: string;
};

export class MessageStatus {
  readonly #context: HubContext;
  readonly #waking: Waking;

  constructor(context: HubContext, waking: Waking) {
    this.#context = context;
    this.#waking = waking;
  }

  /** Every recipient's truth, for the sender and whoever oversees the project; a recipient sees its own. */
  async of(caller: Caller, messageId: string): Promise<{ message: MessageHead; deliveries: DeliveryStatus[] }> {
    return await this.#context.commands.look(caller, async (read, now) => {
      const message = await findMessageFor(read, caller, messageId);
      const all = await deliveriesOf(read, message.id);
      const visible =
        message.senderId === caller.agentId || oversees(caller) ? all : all.filter((delivery) => delivery.recipientId === caller.agentId);
      const deliveries: DeliveryStatus[] = [];
      for (const delivery of visible) deliveries.push(await this.#one(read, message, delivery, now));
      return { message, deliveries: deliveries.sort((a, b) => (a.recipient < b.recipient ? -1 : 1)) };
    });
  }

  async #one(read: Read, message: MessageHead, delivery: DeliveryRow, now: number): Promise<DeliveryStatus> {
    const agent = await findAgent(read, delivery.recipientId);
    const session = agent && (await sessionOf(read, agent));
    const name = agent?.name ?? 'the recipient';
    const sleeperId = agent === undefined ? delivery.recipientId : (await sleeperOf(this.#context, read, agent)).agentId;
    const unseen =
      delivery.state === 'ready'
        ? this.#whyReady(message, delivery, name, session, await this.#waking.consider(read, delivery.projectId, sleeperId))
        : '';
    const held = ['ready', 'leased'].includes(delivery.state) && agent !== undefined && isQuarantined(this.#context, agent);
    const first = delivery.firstSessionId === null ? undefined : await findSession(read, delivery.firstSessionId);
    return {
      recipient: agent?.name ?? 'unknown',
      state: delivery.state,
      accepted_at: toIso(message.createdAt),
      first_shown_at: toIsoOrNull(delivery.firstShownAt),
      first_shown_to:
        delivery.firstSessionId === null
          ? null
          : `${delivery.firstSessionId} (${first?.clientName ?? agent?.name ?? 'unknown'}, ${delivery.firstDoor})`,
      acked_at: toIsoOrNull(delivery.ackedAt),
      acked_by: delivery.ackedBy,
      done_at: toIsoOrNull(delivery.doneAt),
      attempts: delivery.attempt,
      wake_attempts: await wakeHistory(read, message, delivery, sleeperId, now),
      why: held ? `${name} is in quarantine: it is shown nothing until the operator lets it go on.` : why(delivery, name, now, unseen),
    };
  }

  #whyReady(message: MessageHead, delivery: DeliveryRow, name: string, session: SessionRow | undefined, considered: Considered): string {
    const { now } = considered;
    if (delivery.readyAt > now)
      return `${name} returned it (${delivery.reason ?? 'no reason given'}); it is ready again ${toIso(delivery.readyAt)}.`;
    if (name === OPERATOR) return `${name} is a person, who is shown this when that person next reads the inbox.`;
    const wake = wakeClause(considered, message);
    if (session === undefined) return `${name} has never been connected; it will be shown this on its first call; ${wake}.`;
    if (!isLive(this.#context, session))
      return `${name} has not been connected since ${toIso(session.endedAt ?? session.heartbeatAt)}; it will be shown this on its next call; ${wake}.`;
    if (session.waitingUntil !== null && session.waitingUntil > now && session.agentId === delivery.recipientId) {
      return message.quiet
        ? `${name} waits in recv_batch, but bare thanks wake nobody; it comes with the next message.`
        : `${name} waits in recv_batch and is being shown it now.`;
    }
    return `${name} is connected (${session.calledAt === null ? 'no call yet' : `last call ${ago(now - session.calledAt)}`}) but does not wait in recv_batch; it will be shown this on its next receive; ${wake}.`;
  }
}

/** `unseen`: the sentence for what was not shown yet. */
function why(delivery: DeliveryRow, name: string, now: number, unseen: string): string {
  switch (delivery.state) {
    case 'acked':
      if (delivery.doneAt !== null) return delivery.ackedBy === 'reply' ? `${name} replied.` : `${name} acknowledged it.`;
      return `${name} acknowledged it; the reply it asks for has not come.`;
    case 'leased':
      return `${name} was shown it ${ago(now - (delivery.shownAt ?? now))} (attempt ${delivery.attempt}) and has not acknowledged it; it is shown again on the next receive.`;
    case 'dead':
      return `Set aside as a dead letter: ${delivery.reason ?? 'no reason kept'}. The operator can requeue it.`;
    case 'expired':
      return `Its time ran out before ${name} acknowledged it.`;
    case 'recalled':
      return `Taken back from ${name}: ${delivery.reason ?? 'no reason kept'}.`;
    case 'ready':
      return unseen;
  }
}
