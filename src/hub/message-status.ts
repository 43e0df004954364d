// The truth about one message, per recipient (C10): what happened when, by which door, and in one sentence why it is not further.

import { type AgentRow, findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import { type DeliveryRow, deliveriesOf } from '../store/deliveries.ts';
import type { MessageHead } from '../store/messages.ts';
import { findSession, type SessionRow } from '../store/sessions.ts';
import { type Caller, oversees } from './caller.ts';
import { toIso, toIsoOrNull } from './clock.ts';
import type { HubContext } from './context.ts';
import { isLive, sessionOf } from './presence.ts';
import { findMessageFor } from './visibility.ts';

export type WakeAttempt = { door: string; at: string; outcome: string };

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

/** A wake that worked shows the message within this time. */
const WAKE_OUTCOME_MS = 10_000;

export class MessageStatus {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
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
      wake_attempts: wakeAttempts(message, delivery),
      why: this.#why(message, delivery, agent, session, now),
    };
  }

  #why(message: MessageHead, delivery: DeliveryRow, agent: AgentRow | undefined, session: SessionRow | undefined, now: number): string {
    const name = agent?.name ?? 'the recipient';
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
        return this.#whyReady(message, delivery, name, session, now);
    }
  }

  #whyReady(message: MessageHead, delivery: DeliveryRow, name: string, session: SessionRow | undefined, now: number): string {
    if (delivery.readyAt > now)
      return `${name} returned it (${delivery.reason ?? 'no reason given'}); it is ready again ${toIso(delivery.readyAt)}.`;
    if (session === undefined) return `${name} has never been connected; it will be shown this on its first call.`;
    if (!isLive(this.#context, session))
      return `${name} has not been connected since ${toIso(session.endedAt ?? session.heartbeatAt)}; it will be shown this on its next call; no wake door.`;
    if (session.waitingUntil !== null && session.waitingUntil > now && session.agentId === delivery.recipientId) {
      return message.quiet
        ? `${name} waits in recv_batch, but bare thanks wake nobody; it comes with the next message.`
        : `${name} waits in recv_batch and is being shown it now.`;
    }
    return `${name} is connected (last call ${session.calledAt === null ? 'never' : ago(now - session.calledAt)}) but does not wait in recv_batch; it will be shown this on its next receive; no wake door.`;
  }
}

function wakeAttempts(message: MessageHead, delivery: DeliveryRow): WakeAttempt[] {
  if (delivery.wakeDoor === null) return [];
  const shownAfter = delivery.firstShownAt === null ? null : delivery.firstShownAt - message.createdAt;
  const outcome = shownAfter !== null && shownAfter <= WAKE_OUTCOME_MS ? `shown ${shownAfter} ms later` : 'no effect seen';
  return [{ door: delivery.wakeDoor, at: toIso(message.createdAt), outcome }];
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`;
}
