// What whoever oversees a project sees of it: how many deliveries are in which state, which do not move and why, which are dead, and what
// waits in anybody's inbox. Looking changes nothing: no lease, no attempt, no receipt (C4).

import type { DeliveryState } from '../store/deliveries.ts';
import { type NamedDelivery, namedDead, namedStuck, namedWaiting, tallyDeliveries } from '../store/overview.ts';
import type { Agents } from './agents.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import type { MessageStatus } from './message-status.ts';

export type { NamedDelivery };

export type Stuck = NamedDelivery & { why: string };

export class Overview {
  readonly #context: HubContext;
  readonly #agents: Agents;
  readonly #status: MessageStatus;

  constructor(context: HubContext, agents: Agents, status: MessageStatus) {
    this.#context = context;
    this.#agents = agents;
    this.#status = status;
  }

  /** Deliveries of the project by state (I5). */
  async deliveries(caller: Caller): Promise<Record<DeliveryState, number>> {
    assertOversees(caller, 'see the deliveries of all');
    return await this.#context.commands.look(caller, (read) => tallyDeliveries(read, caller.projectId));
  }

  /** Dead letters, the newest first, at most `limit`. */
  async dead(caller: Caller, limit: number): Promise<NamedDelivery[]> {
    assertOversees(caller, 'see dead letters');
    return await this.#context.commands.look(caller, (read) => namedDead(read, caller.projectId, limit));
  }

  /** What was shown and forgotten (`nudgeAfterMs`) or never looked at (`stalledAfterMs`), each with the sentence that says why. */
  async stuck(caller: Caller, limit: number): Promise<Stuck[]> {
    assertOversees(caller, 'see what is stuck');
    const { nudgeAfterMs, stalledAfterMs } = this.#context.limits;
    const found = await this.#context.commands.look(caller, (read, now) =>
      namedStuck(read, caller.projectId, now - nudgeAfterMs, now - stalledAfterMs, limit),
    );
    return await Promise.all(found.map(async (delivery) => ({ ...delivery, why: await this.#why(caller, delivery) })));
  }

  /** What an agent has not acknowledged, in the order it would be shown. Errors: `not_found` with the nearest names. */
  async inbox(caller: Caller, name: string, limit: number): Promise<NamedDelivery[]> {
    assertOversees(caller, 'look into an inbox');
    return await this.#context.commands.look(caller, async (read) => {
      const agent = await this.#agents.named(read, caller, name);
      return await namedWaiting(read, agent.id, limit);
    });
  }

  async #why(caller: Caller, delivery: NamedDelivery): Promise<string> {
    const { deliveries } = await this.#status.of(caller, delivery.messageId);
    return deliveries.find(({ recipient }) => recipient === delivery.to)?.why ?? '';
  }
}
