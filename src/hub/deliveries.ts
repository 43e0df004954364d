// What becomes of deliveries that nobody acknowledges: expiry, poison, nudges, stalled notices, and messages for "any of us" whose
// taker went away. Each is a timed duty that re-checks inside its own transaction, so any number of processes may run it (invariant 7).

import { findAgent, findAgentByName } from '../store/agents.ts';
import { close, type DeliveryRow, deliveriesOf, findDelivery, makeReady } from '../store/deliveries.ts';
import { type DueKind, dueDeliveries, markNudged, markStalled, orphanedPool } from '../store/due-deliveries.ts';
import { assertOversees, type Caller, OPERATOR } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { counted } from './counted.ts';
import { HubError } from './errors.ts';
import { reopenPool } from './pool.ts';
import type { Posting } from './posting.ts';
import { QUARANTINED } from './visibility.ts';

/** How long a pool message stays with a taker that is gone before the others are offered it again. */
const POOL_REOFFER_MS = 5 * 60_000;
const ACTOR = { agentId: 'hub' };

export class Deliveries {
  readonly #context: HubContext;
  readonly #posting: Posting;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /** Duty: messages whose time ran out leave the inbox. Answers how many. */
  expireDue(): Promise<number> {
    return this.#each('expiring', this.#context.time.now(), async (act, delivery) => {
      if (!isExpired(delivery, act.now)) return false;
      await this.expire(act, delivery);
      return true;
    });
  }

  /** Closes a delivery whose time ran out. */
  async expire(act: Act, delivery: DeliveryRow): Promise<void> {
    await close(act.tx, delivery.messageId, delivery.recipientId, 'expired', 'its time ran out', act.now);
    await act.emit('message.expired', delivery.messageId, { to: await this.#name(act, delivery.recipientId) });
  }

  /** Duty: what eight attempts did not get acknowledged is set aside; sender and operator are told (C11). */
  buryPoison(): Promise<number> {
    return this.#each('poisoned', this.#context.time.now() - this.#context.limits.poisonMinAgeMs, async (act, delivery) => {
      if (!this.isPoison(delivery, act.now)) return false;
      await this.bury(act, delivery, `not acknowledged after ${delivery.attempt} attempts`);
      return true;
    });
  }

  /** Duty: what was shown and not acknowledged for a while is marked, and every reply to that agent says so (C10). */
  nudgeForgetful(): Promise<number> {
    return this.#each('forgotten', this.#context.time.now() - this.#context.limits.nudgeAfterMs, async (act, delivery) => {
      await markNudged(act.tx, delivery, act.now);
      await act.emit('message.nudged', delivery.messageId, { to: await this.#name(act, delivery.recipientId) });
      return true;
    });
  }

  /** Duty: the sender learns once that its message was shown and is still not acknowledged (C10). */
  tellStalled(): Promise<number> {
    return this.#each('stalled', this.#context.time.now() - this.#context.limits.stalledAfterMs, async (act, delivery) => {
      await markStalled(act.tx, delivery, act.now);
      const reader = await this.#name(act, delivery.recipientId);
      await act.emit('message.stalled', delivery.messageId, { to: reader });
      const minutes = Math.round((act.now - (delivery.firstShownAt ?? act.now)) / 60_000);
      await this.#tellSender(act, delivery, {
        subject: 'stalled: shown, not acknowledged',
        body: `${reader} was shown your message ${delivery.messageId} ${counted(minutes, 'minute')} ago and has not acknowledged it (attempt ${delivery.attempt}). message_status tells more; another agent may be a better address.`,
      });
      return true;
    });
  }

  /** Duty: pool messages whose taker is gone are offered to the others again. */
  async reofferPool(): Promise<number> {
    const before = this.#context.time.now() - POOL_REOFFER_MS;
    const orphaned = await this.#context.db.read((read) => orphanedPool(read, before, this.#context.limits.dueBatch));
    return await this.#act(orphaned, async (act, delivery) => {
      if (!(await reopenPool(act, delivery))) return false;
      await close(act.tx, delivery.messageId, delivery.recipientId, 'recalled', 'offered to others: its taker is gone', act.now);
      await act.emit('message.recalled', delivery.messageId, { from: await this.#name(act, delivery.recipientId) });
      return true;
    });
  }

  /** Puts a dead letter back, with as many attempts again. Errors: `not_found`, `conflict` when it is not dead. */
  async requeueFor(
    caller: Caller,
    messageId: string,
    to: string,
    intent: Intent,
  ): Promise<{ message_id: string; to: string; replayed?: boolean }> {
    assertOversees(caller, 'requeue dead letters');
    return await this.#context.commands.run(caller, intent, async (act) => {
      await this.#requeue(act, messageId, to);
      return { message_id: messageId, to };
    });
  }

  /** Keeps a message from those who have not acknowledged it. Nobody is told: its sender may be what it is kept from. Errors: `not_found`. */
  async quarantine(caller: Caller, messageId: string): Promise<{ message_id: string; withheld: string[]; already_read: string[] }> {
    assertOversees(caller, 'quarantine messages');
    return await this.#context.commands.run(caller, { tool: 'quarantine' }, async (act) => {
      const deliveries = (await deliveriesOf(act.tx, messageId)).filter(({ projectId }) => projectId === act.projectId);
      if (deliveries.length === 0)
        throw new HubError('not_found', 'No such message in this project.', { hint: 'rookery inbox NAME and rookery thread ID show ids.' });
      const result = { message_id: messageId, withheld: [] as string[], already_read: [] as string[] };
      for (const delivery of deliveries) {
        const to = await this.#name(act, delivery.recipientId);
        if (delivery.state === 'acked') result.already_read.push(to);
        if (delivery.state !== 'ready' && delivery.state !== 'leased') continue;
        const reason = `${QUARANTINED}${caller.name}`;
        await close(act.tx, messageId, delivery.recipientId, 'dead', reason, act.now);
        await act.emit('message.dead', messageId, { to, reason });
        result.withheld.push(to);
      }
      return result;
    });
  }

  async #requeue(act: Act, messageId: string, recipientName: string): Promise<void> {
    const recipient = await findAgentByName(act.tx, act.projectId, recipientName);
    const delivery = recipient && (await findDelivery(act.tx, messageId, recipient.id));
    if (delivery === undefined || delivery.projectId !== act.projectId)
      throw new HubError('not_found', 'No such delivery in this project.', { hint: 'rookery dead lists them.' });
    if (delivery.state !== 'dead')
      throw new HubError('conflict', `This delivery is ${delivery.state}, not dead; nothing was changed.`, {
        hint: 'Only dead letters can be requeued.',
      });
    await makeReady(act.tx, delivery, act.now, delivery.attempt + this.#context.limits.deliveryAttempts, null);
    await act.emit('message.requeued', messageId, { to: recipientName });
  }

  isPoison(delivery: DeliveryRow, now: number): boolean {
    return (
      delivery.state === 'leased' &&
      delivery.attempt >= delivery.attemptLimit &&
      now - (delivery.firstShownAt ?? now) >= this.#context.limits.poisonMinAgeMs
    );
  }

  /** Makes a delivery a dead letter and tells its sender and the operator. */
  async bury(act: Act, delivery: Pick<DeliveryRow, 'messageId' | 'recipientId' | 'senderId'>, reason: string): Promise<void> {
    await close(act.tx, delivery.messageId, delivery.recipientId, 'dead', reason, act.now);
    const reader = await this.#name(act, delivery.recipientId);
    await act.emit('message.dead', delivery.messageId, { to: reader, reason });
    await this.#tellSender(
      act,
      delivery,
      {
        subject: 'dead letter: set aside',
        body: `The message ${delivery.messageId} to ${reader} was set aside: ${reason}. The operator can put it back with: rookery requeue ${delivery.messageId} --to ${reader}`,
      },
      // A notice that the operator leaves unacknowledged is no reason for another.
      reader === OPERATOR ? [] : [OPERATOR],
    );
  }

  async #each(kind: DueKind, before: number, change: (act: Act, delivery: DeliveryRow) => Promise<boolean>): Promise<number> {
    return await this.#act(await this.#context.db.read((read) => dueDeliveries(read, kind, before, this.#context.limits.dueBatch)), change);
  }

  /** One change per delivery, each re-read in its own transaction; they run together, so that they share commits. */
  async #act(due: readonly DeliveryRow[], change: (act: Act, delivery: DeliveryRow) => Promise<boolean>): Promise<number> {
    const done = await Promise.all(
      due.map((candidate) =>
        this.#context.commands.runAs(candidate.projectId, ACTOR, async (act) => {
          const delivery = await findDelivery(act.tx, candidate.messageId, candidate.recipientId);
          const unchanged =
            delivery !== undefined &&
            delivery.state === candidate.state &&
            delivery.attempt === candidate.attempt &&
            delivery.nudgedAt === candidate.nudgedAt &&
            delivery.stalledAt === candidate.stalledAt;
          return unchanged && (await change(act, delivery));
        }),
      ),
    );
    return done.filter(Boolean).length;
  }

  async #tellSender(
    act: Act,
    delivery: Pick<DeliveryRow, 'messageId' | 'senderId'>,
    words: { subject: string; body: string },
    also: string[] = [],
  ): Promise<void> {
    const sender = await findAgent(act.tx, delivery.senderId);
    const others = await Promise.all(also.map((name) => findAgentByName(act.tx, act.projectId, name)));
    const told = [sender, ...others].filter((agent) => agent !== undefined && agent.role !== 'hub');
    const unique = told.filter((agent, index) => told.findIndex((other) => other?.id === agent?.id) === index);
    await this.#posting.notify(
      act,
      unique.filter((agent) => agent !== undefined),
      words,
    );
  }

  async #name(act: Act, agentId: string): Promise<string> {
    return (await findAgent(act.tx, agentId))?.name ?? 'unknown';
  }
}

/** Whether the sender gave it a time that has passed. */
export function isExpired(delivery: Pick<DeliveryRow, 'expiresAt'>, now: number): boolean {
  return delivery.expiresAt !== null && delivery.expiresAt <= now;
}
