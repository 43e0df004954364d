// Many messages of one change, written together: what fires at one instant. Each is what Posting makes of a message that answers nothing and may
// repeat what was said; but what has to be known of a recipient is looked up once for all of them, and a few statements write their rows.

import type { AgentRow } from '../store/agents.ts';
import { insertDeliveries, takeSenderSeqs } from '../store/deliveries.ts';
import { insertMessages, type MessageRow } from '../store/messages.ts';
import { audienceOf } from './addresses.ts';
import type { Caller } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import type { Draft } from './drafts.ts';
import { compose, deliveryOf, emitSent, waitingDoor } from './entries.ts';
import { traceSent } from './message-traces.ts';
import { attachedOfAll } from './recipients.ts';
import type { Room } from './room.ts';

type Fresh = Omit<Draft, 'to' | 'inReplyTo' | 'allowDuplicate'>;
type Entry = { sender: Caller; message: MessageRow; recipient: AgentRow };

export class PostBatch {
  readonly #context: HubContext;
  readonly #act: Act;
  readonly #room: Room;
  readonly #entries: Entry[] = [];
  /** How many of these messages are for an agent. */
  readonly #counts = new Map<string, number>();

  constructor(context: HubContext, act: Act, room: Room) {
    this.#context = context;
    this.#act = act;
    this.#room = room;
  }

  /** Accepts a message for one recipient with room, or throws. Answers its id. It is not in the database before `write`. */
  async post(sender: Caller, draft: Fresh, recipient: AgentRow): Promise<string> {
    const audience = { ...audienceOf([recipient]), byMembership: false, always: false };
    await this.#room.of(this.#act, audience, [], ({ id }) => this.#counts.get(id) ?? 0);
    const composed = compose(this.#context, this.#act, sender, { to: [], ...draft }, audience, undefined);
    const message = await emitSent(this.#act, sender, composed, [recipient]);
    traceSent(this.#act, message, 1);
    this.#entries.push({ sender, message, recipient });
    this.#counts.set(recipient.id, (this.#counts.get(recipient.id) ?? 0) + 1);
    return message.id;
  }

  /** Writes what was posted. */
  async write(): Promise<void> {
    const { tx } = this.#act;
    await insertMessages(
      tx,
      this.#entries.map(({ message }) => message),
    );
    const doors = await this.#doors();
    const numbers = await this.#numbers();
    await insertDeliveries(
      tx,
      this.#entries.map(({ sender, message, recipient }, n) => {
        const wakeDoor = message.quiet ? null : (doors.get(recipient.id) ?? null);
        return deliveryOf(this.#context, this.#act, sender, message, recipient, { senderSeq: numbers[n] ?? 0, wakeDoor });
      }),
    );
  }

  /** The door at which each recipient waits. */
  async #doors() {
    const recipients = [...new Map(this.#entries.map(({ recipient }) => [recipient.id, recipient])).values()];
    const attached = await attachedOfAll(this.#act.tx, recipients);
    return new Map(attached.map((to) => [to.agent.id, waitingDoor(this.#context, this.#act, to)]));
  }

  /** The number of each among those from its sender to its recipient: those of a pair are taken at once. */
  async #numbers(): Promise<number[]> {
    const pairs = new Map<string, { places: number[]; senderId: string; recipientId: string }>();
    this.#entries.forEach(({ sender, recipient }, place) => {
      const key = `${sender.agentId} ${recipient.id}`;
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, { places: [place], senderId: sender.agentId, recipientId: recipient.id });
      else pair.places.push(place);
    });
    const taken = [...pairs.values()];
    const firsts = await takeSenderSeqs(
      this.#act.tx,
      taken.map(({ places, ...pair }) => ({ ...pair, count: places.length })),
    );
    const numbers: number[] = [];
    for (const [n, { places }] of taken.entries()) for (const [later, place] of places.entries()) numbers[place] = (firsts[n] ?? 0) + later;
    return numbers;
  }
}
