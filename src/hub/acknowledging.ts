// Acknowledging: what a reader says of messages it was shown. Only an echo counts: of the receipt, of ids, or a reply (posting.ts).
// Acknowledging twice is harmless; an outdated receipt acknowledges nothing.

import type { Read } from '../store/db.ts';
import { acknowledge, type DeliveryRow, deliveriesByReceipt, findDelivery, makeReady } from '../store/deliveries.ts';
import type { Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { traceAcked } from './message-traces.ts';
import { reopenPool, takeFromPool } from './pool.ts';
import { proveWake } from './wake-proof.ts';

export type AckRequest = {
  receipt?: string | undefined;
  ids?: string[] | undefined;
  except?: string[] | undefined;
  nackIds?: string[] | undefined;
  delayMs: number;
  reason?: string | undefined;
};

export type AckResult = {
  acked: string[];
  already: string[];
  returned: string[];
  /** Ended otherwise meanwhile (dead, expired, recalled): nothing was acknowledged, and nothing is owed. */
  closed: string[];
};

export class Acknowledging {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Acknowledges by receipt or ids, and returns what is named in `nackIds`. Errors: `stale_receipt`, `not_found`. Idempotent. */
  async acknowledge(caller: Caller, request: AckRequest, intent: Intent): Promise<AckResult & { replayed?: boolean }> {
    if (request.receipt === undefined && request.ids === undefined && request.nackIds === undefined) {
      throw new HubError('invalid_input', 'Give receipt, ids or nack_ids.', {
        hint: 'recv_batch prints the receipt of what it showed.',
      });
    }
    return await this.#context.commands.run(caller, intent, async (act) => {
      const returned: string[] = [];
      for (const id of new Set(request.nackIds ?? [])) {
        if (await this.#return(act, caller, id, request.delayMs, request.reason ?? 'returned by its reader')) returned.push(id);
      }
      const kept = new Set([...(request.except ?? []), ...returned]);
      const byReceipt = request.receipt === undefined ? [] : await this.byReceipt(act, caller, request.receipt);
      const byId = await Promise.all([...new Set(request.ids ?? [])].map((id) => this.#own(act.tx, caller, id)));
      const result: AckResult = { acked: [], already: [], returned, closed: [] };
      for (const [delivery, how] of [...byReceipt.map((one) => [one, 'receipt'] as const), ...byId.map((one) => [one, 'id'] as const)]) {
        if (kept.has(delivery.messageId) || result.acked.includes(delivery.messageId)) continue;
        if (await this.one(act, caller, delivery, how)) result.acked.push(delivery.messageId);
        else (delivery.state === 'acked' ? result.already : result.closed).push(delivery.messageId);
      }
      return result;
    });
  }

  /** What is or was leased under a receipt of this reader. Throws `stale_receipt`. */
  async byReceipt(act: Act, caller: Caller, receipt: string): Promise<DeliveryRow[]> {
    const deliveries = await deliveriesByReceipt(act.tx, caller.agentId, receipt);
    if (deliveries.length > 0) return deliveries;
    throw new HubError(
      'stale_receipt',
      'This receipt is not yours or no longer current: its messages were shown again under a newer one. Nothing was acknowledged.',
      {
        hint: 'Call recv_batch and acknowledge with the receipt it prints.',
      },
    );
  }

  async #own(read: Read, caller: Caller, messageId: string): Promise<DeliveryRow> {
    const delivery = await findDelivery(read, messageId, caller.agentId);
    if (delivery !== undefined && delivery.projectId === caller.projectId) return delivery;
    throw new HubError('not_found', `No message ${messageId.slice(0, 40)} in your inbox; nothing was changed.`, {
      hint: 'recv_batch prints the ids.',
    });
  }

  /** Acknowledges one delivery. Answers whether this call did it. */
  async one(act: Act, caller: Caller, delivery: DeliveryRow, how: 'receipt' | 'id'): Promise<boolean> {
    if (!(await acknowledge(act.tx, delivery, how, act.now))) return false;
    await act.emit('message.acked', delivery.messageId, { by: caller.name, how, attempt: delivery.attempt });
    await traceAcked(act, delivery, how);
    if (delivery.state === 'ready') {
      await takeFromPool(act, caller.name, delivery);
      await proveWake(act, caller);
    }
    return true;
  }

  async #return(act: Act, caller: Caller, messageId: string, delayMs: number, reason: string): Promise<boolean> {
    const delivery = await this.#own(act.tx, caller, messageId);
    if (delivery.state !== 'leased') return false;
    await makeReady(act.tx, delivery, act.now + delayMs, delivery.attemptLimit, reason);
    await reopenPool(act, delivery);
    await act.emit('message.returned', messageId, { by: caller.name, delay_ms: delayMs });
    return true;
  }
}
