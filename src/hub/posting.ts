// Posting: how an accepted message enters the database, in one transaction for all its recipients: the message, a delivery each, the event,
// and what it settles. Whoever posts (a send, the hub itself) has already been authorised and measured.

import { type AgentRow, findAgentByName } from '../store/agents.ts';
import { acknowledge, findDelivery, insertDeliveries, markDone, takeSenderSeqs } from '../store/deliveries.ts';
import { findRepeat, insertMessages, type MessageHead, type MessageRow } from '../store/messages.ts';
import { pauseThread } from '../store/pauses.ts';
import { type Audience, audienceOf } from './addresses.ts';
import { type Caller, HUB, OPERATOR, senderOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import type { Draft } from './drafts.ts';
import { compose, deliveryOf, emitSent, waitingDoor } from './entries.ts';
import { HubError } from './errors.ts';
import { LoopGuard } from './loop-guard.ts';
import { traceAcked, traceSent } from './message-traces.ts';
import { takeFromPool } from './pool.ts';
import { PostBatch } from './post-batch.ts';
import { type Attached, attachedOfAll, byName, type Recipient, recipientOf, recipientsOf } from './recipients.ts';
import { Room } from './room.ts';
import { findMessageFor } from './visibility.ts';
import { proveWake } from './wake-proof.ts';

export type Notice = Pick<Draft, 'body' | 'subject' | 'inReplyTo' | 'ref' | 'traceparent' | 'wakes'>;

export type Sent = {
  message_id: string;
  seq: number;
  thread_id: string;
  recipients: Recipient[];
  notes: string[];
  by?: 'content';
};

/** What was entered, and for whom; or what it repeats, and then nothing was. */
type Entry = {
  message: MessageRow;
  repeats?: MessageHead;
  entered: { to: Attached; wakeDoor: string | null }[];
  notes: string[];
};

export class Posting {
  readonly #context: HubContext;
  readonly #guard: LoopGuard;
  readonly #room: Room;

  constructor(context: HubContext) {
    this.#context = context;
    this.#guard = new LoopGuard(context);
    this.#room = new Room(context);
  }

  /** A message from the hub itself to agents of the project. It wakes them unless it says otherwise. */
  async notify(act: Act, to: readonly AgentRow[], words: Notice): Promise<void> {
    if (to.length === 0) return;
    const hub = await this.#principal(act, HUB);
    const draft = { to: [], kind: 'status' as const, expectsReply: false, allowDuplicate: true, ...words };
    await this.post(act, senderOf(hub), draft, audienceOf(to));
  }

  /** Accepts the message for every recipient with room, or throws. Its sender is told of each of them. */
  async send(act: Act, sender: Caller, draft: Draft, audience: Audience): Promise<Sent> {
    const { message, repeats, entered, notes } = await this.#enter(act, sender, draft, audience);
    if (repeats !== undefined) return await this.#repeated(act, repeats);
    const recipients: Recipient[] = [];
    for (const { to, wakeDoor } of entered)
      recipients.push(await recipientOf(this.#context, act.tx, message.wakes, to, { state: 'ready', wakeDoor }));
    return { message_id: message.id, seq: message.seq, thread_id: message.threadId, recipients: byName(recipients), notes };
  }

  /** The same for what nobody is told the recipients of. */
  async post(act: Act, sender: Caller, draft: Draft, audience: Audience): Promise<Pick<Sent, 'message_id' | 'seq' | 'thread_id'>> {
    const { message, repeats } = await this.#enter(act, sender, draft, audience);
    const { id, seq, threadId } = repeats ?? message;
    return { message_id: id, seq, thread_id: threadId };
  }

  /** For many messages of one change, which are written together. */
  batch(act: Act): PostBatch {
    return new PostBatch(this.#context, act, this.#room);
  }

  async #enter(act: Act, sender: Caller, draft: Draft, audience: Audience): Promise<Entry> {
    const notes = [...audience.notes];
    const parent = await this.#parent(act, sender, draft.inReplyTo, notes);
    const hop = await this.#guard.hop(act, sender, parent, draft.ref);
    const composed = { ...compose(this.#context, act, sender, draft, audience, parent), hop };
    const pause = await this.#guard.assertRunning(act, sender, composed);
    if (draft.allowDuplicate !== true) {
      const repeats = await findRepeat(act.tx, composed, act.now - this.#context.limits.contentRepeatMs);
      if (repeats !== undefined) return { message: composed, repeats, entered: [], notes };
    }
    const recipients = audience.always === true ? audience.recipients : await this.#room.of(act, audience, notes);
    const message = await emitSent(act, sender, composed, recipients);
    await insertMessages(act.tx, [message]);
    const entered = await this.#deliver(act, sender, message, recipients);
    traceSent(act, message, recipients.length);
    if (parent !== undefined) await this.#settle(act, sender, parent);
    const loop = await this.#guard.findLoop(act, message, pause);
    if (loop !== undefined) notes.push(await this.#pause(act, message, loop));
    return { message, entered, notes };
  }

  /** Stops a thread that goes in circles, after the message that showed it, and tells the operator (C17). */
  async #pause(act: Act, message: MessageRow, reason: string): Promise<string> {
    await pauseThread(act.tx, { threadId: message.threadId, projectId: act.projectId, reason, pausedAt: act.now });
    await act.emit('thread.paused', message.threadId, { reason });
    await this.notify(act, [await this.#principal(act, OPERATOR)], {
      subject: 'thread paused',
      body: `The thread ${message.threadId} is paused: ${reason}. Read it with: rookery thread ${message.threadId}. Let it go on with: rookery resume ${message.threadId}, or by writing in it yourself.`,
    });
    return `This thread is now paused: ${reason}. The operator has been told; nothing more can be sent in it until then.`;
  }

  async #principal(act: Act, name: string): Promise<AgentRow> {
    const agent = await findAgentByName(act.tx, act.projectId, name);
    if (agent === undefined)
      throw new HubError('internal', `The principal ${name} is missing from the project.`, { hint: 'Run: rookery doctor' });
    return agent;
  }

  /** The deliveries of a message, each numbered among those from its sender to its recipient. */
  async #deliver(act: Act, sender: Caller, message: MessageRow, recipients: readonly AgentRow[]): Promise<Entry['entered']> {
    const attached = await attachedOfAll(act.tx, recipients);
    const senderSeqs = await takeSenderSeqs(
      act.tx,
      recipients.map(({ id }) => ({ senderId: sender.agentId, recipientId: id, count: 1 })),
    );
    const entered = attached.map((to) => ({ to, wakeDoor: message.quiet ? null : waitingDoor(this.#context, act, to) }));
    const deliveries = entered.map(({ to, wakeDoor }, n) =>
      deliveryOf(this.#context, act, sender, message, to.agent, { senderSeq: senderSeqs[n] ?? 0, wakeDoor }),
    );
    await insertDeliveries(act.tx, deliveries);
    return entered;
  }

  /** The message replied to, if the sender may see it; otherwise the send goes on without it and says so. */
  async #parent(act: Act, sender: Caller, inReplyTo: string | undefined, notes: string[]): Promise<MessageHead | undefined> {
    if (inReplyTo === undefined) return undefined;
    try {
      return await findMessageFor(act.tx, sender, inReplyTo);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      notes.push('in_reply_to names no message that you sent or were sent; this message starts a new thread.');
      return undefined;
    }
  }

  /** Replying acknowledges what is replied to, and settles it (C4). */
  async #settle(act: Act, sender: Caller, parent: MessageHead): Promise<void> {
    const delivery = await findDelivery(act.tx, parent.id, sender.agentId);
    if (delivery === undefined) return;
    if (await acknowledge(act.tx, delivery, 'reply', act.now)) {
      await act.emit('message.acked', parent.id, { by: sender.name, how: 'reply', attempt: delivery.attempt });
      await traceAcked(act, delivery, 'reply');
      if (delivery.state === 'ready') {
        await takeFromPool(act, sender.name, delivery);
        await proveWake(act, sender);
      }
    } else if (delivery.state === 'acked') {
      await markDone(act.tx, parent.id, sender.agentId, act.now);
    }
  }

  async #repeated(act: Act, repeat: MessageHead): Promise<Sent & { replayed: boolean }> {
    return {
      message_id: repeat.id,
      seq: repeat.seq,
      thread_id: repeat.threadId,
      recipients: await recipientsOf(this.#context, act.tx, repeat),
      replayed: true,
      by: 'content',
      notes: ['You sent exactly this a moment ago, so it was not sent again. To repeat it on purpose, set allow_duplicate: true.'],
    };
  }
}
