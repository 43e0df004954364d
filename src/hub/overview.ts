// What whoever oversees a project sees of it: how many deliveries are in which state, which do not move and why, which are dead, who owes whom
// what, what waits in anybody's inbox, and one agent from close by. Looking changes nothing: no lease, no attempt, no receipt (C4).

import type { DeliveryState } from '../store/deliveries.ts';
import { type NamedDelivery, namedDead, namedStuck, namedWaiting, tallyDeliveries } from '../store/overview.ts';
import { wakesIn } from '../store/wake-attempts.ts';
import type { Agents, AgentView } from './agents.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { type Inspection, inspectionOf } from './inspection.ts';
import type { MessageStatus } from './message-status.ts';
import { type Owed, owedIn } from './owing.ts';

export type { NamedDelivery };

const DAY_MS = 86_400_000;

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

  /** Who owes whom what, what is due first before the rest. */
  async owed(caller: Caller, limit: number): Promise<{ owed: Owed[]; more: number }> {
    assertOversees(caller, 'see what others owe');
    return await this.#context.commands.look(caller, (read) => owedIn(this.#context, read, caller.projectId, limit));
  }

  /** An agent from close by. Errors: `not_found` with the nearest names. */
  async inspect(caller: Caller, name: string): Promise<{ view: AgentView; inspection: Inspection }> {
    assertOversees(caller, 'look into an agent');
    return await this.#context.commands.look(caller, (read, now) =>
      inspectionOf({ context: this.#context, agents: this.#agents }, read, caller, name, now),
    );
  }

  /** How often agents were woken within the last day, and read after it, by agent id. */
  async wakes(caller: Caller): Promise<Map<string, { attempts: number; read: number }>> {
    assertOversees(caller, 'see how others were woken');
    return await this.#context.commands.look(caller, (read, now) => wakesIn(read, caller.projectId, now - DAY_MS));
  }

  async #why(caller: Caller, delivery: NamedDelivery): Promise<string> {
    const { deliveries } = await this.#status.of(caller, delivery.messageId);
    return deliveries.find(({ recipient }) => recipient === delivery.to)?.why ?? '';
  }
}
