// Posting: how an accepted message enters the database, in one transaction for all its recipients: the message, a delivery each, the event,
// and what it settles. Whoever posts (a send, the hub itself) has already been authorised and measured.

import { type AgentRow, findAgentByName } from '../store/agents.ts';
import { acknowledge, findDelivery, insertDelivery, markDone, nextSenderSeq } from '../store/deliveries.ts';
import { findRepeat, insertMessage, type Kind, type MessageHead, type MessageRow } from '../store/messages.ts';
import { pauseThread } from '../store/pauses.ts';
import { type Audience, audienceOf } from './addresses.ts';
import { type Caller, HUB, OPERATOR, relationOf, senderOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { messageDigest } from './events.ts';
import { LoopGuard } from './loop-guard.ts';
import { traceAcked, traceSent } from './message-traces.ts';
import { takeFromPool } from './pool.ts';
import { isLive } from './presence.ts';
import { type Attached, attachedOf, byName, type Recipient, recipientOf, recipientsOf } from './recipients.ts';
import { Room } from './room.ts';
import { findMessageFor } from './visibility.ts';
import { proveWake } from './wake-proof.ts';

export type Draft = {
  to: string | readonly string[];
  body: string;
  subject?: string | undefined;
  inReplyTo?: string | undefined;
  kind?: Kind | undefined;
  urgent?: boolean | undefined;
  expectsReply?: boolean | undefined;
  expiresInMs?: number | undefined;
  attachments?: readonly string[] | undefined;
  allowDuplicate?: boolean | undefined;
  /** The ask, reminder or task that this message is about: it also starts the count of hops anew (C17). */
  ref?: string | undefined;
  /** Whether it is worth waking an idle reader for; by default whatever does not only thank. */
  wakes?: boolean | undefined;
  /** The trace of the task that it is about (W3C). */
  traceparent?: string | undefined;
};

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

/** The whole of a message that is a courtesy and nothing else. Such a message wakes nobody (C17); it decides nothing. */
const BARE_THANKS =
  /^(many |ok,? |okay,? |great,? |perfect,? )?(thanks|thank you|thx|ty|cheers|got it|ok|okay|noted|ack|acknowledged|will do|sounds good)( (so|very) much| a lot| again| everyone| all)?[\s.!\u{1F44D}\u{1F64F}]*$/iu;

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

  async #enter(act: Act, sender: Caller, draft: Draft, audience: Audience): Promise<Entry> {
    const notes = [...audience.notes];
    const parent = await this.#parent(act, sender, draft.inReplyTo, notes);
    const hop = await this.#guard.hop(act, sender, parent, draft.ref);
    const composed = { ...this.#compose(act, sender, draft, audience, parent), hop };
    const pause = await this.#guard.assertRunning(act, sender, composed);
    if (draft.allowDuplicate !== true) {
      const repeats = await findRepeat(act.tx, composed, act.now - this.#context.limits.contentRepeatMs);
      if (repeats !== undefined) return { message: composed, repeats, entered: [], notes };
    }
    const recipients = audience.always === true ? audience.recipients : await this.#room.of(act, audience, notes);
    const seq = await act.emit('message.sent', composed.id, {
      thread_id: composed.threadId,
      from: sender.name,
      sender_id: composed.senderId,
      ref: composed.ref,
      to: recipients.map((agent) => agent.name),
      address: composed.address,
      kind: composed.kind,
      urgent: composed.urgent,
      bytes: composed.bodyBytes,
      digest: composed.digest,
    });
    const message = { ...composed, seq };
    await insertMessage(act.tx, message);
    const entered: Entry['entered'] = [];
    for (const recipient of recipients) entered.push(await this.#deliver(act, sender, message, recipient));
    traceSent(act, message, recipients.length);
    if (parent !== undefined) await this.#settle(act, sender, parent);
    const loop = await this.#guard.findLoop(act, message, pause);
    if (loop !== undefined) notes.push(await this.#pause(act, message, loop));
    return { message, entered, notes };
  }

  #compose(act: Act, sender: Caller, draft: Draft, audience: Audience, parent: MessageHead | undefined): MessageRow {
    const subject = wellFormed(draft.subject ?? '');
    const body = wellFormed(draft.body);
    const attachments = [...(draft.attachments ?? [])];
    const kind = draft.kind ?? 'note';
    const quiet = kind === 'note' && attachments.length === 0 && draft.expectsReply !== true && BARE_THANKS.test(draft.body.trim());
    return {
      id: this.#context.ids.next('msg'),
      projectId: act.projectId,
      seq: 0,
      threadId: parent?.threadId ?? this.#context.ids.next('thr'),
      inReplyTo: parent?.id ?? null,
      senderId: sender.agentId,
      senderSessionId: sender.sessionId,
      senderModel: sender.model,
      address: audience.address,
      kind,
      urgent: draft.urgent === true,
      subject,
      body,
      bodyBytes: Buffer.byteLength(body),
      digest: messageDigest({ subject, body, attachments }),
      attachments,
      expectsReply: draft.expectsReply ?? kind === 'request',
      quiet,
      wakes: draft.wakes ?? !quiet,
      broadcast: audience.broadcast,
      pool: audience.pool,
      hop: 0,
      ref: draft.ref ?? null,
      traceparent: draft.traceparent ?? act.traceparent ?? null,
      createdAt: act.now,
      expiresAt: draft.expiresInMs === undefined ? null : act.now + draft.expiresInMs,
    };
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

  async #deliver(act: Act, sender: Caller, message: MessageRow, recipient: AgentRow): Promise<Entry['entered'][number]> {
    const to = await attachedOf(act.tx, recipient);
    // A wait of a sub-agent's session may be its parent's: it is not known to wake the sub-agent.
    const session = recipient.parentSessionId === null ? to.own : undefined;
    const parked = isLive(this.#context, session) && (session?.waitingUntil ?? 0) > act.now && !message.quiet;
    const wakeDoor = parked ? 'waiting_call' : null;
    await insertDelivery(act.tx, {
      messageId: message.id,
      recipientId: recipient.id,
      projectId: act.projectId,
      senderId: sender.agentId,
      seq: message.seq,
      senderSeq: await nextSenderSeq(act.tx, sender.agentId, recipient.id),
      urgent: message.urgent,
      authority: relationOf(sender, recipient),
      state: 'ready',
      readyAt: act.now,
      attempt: 0,
      attemptLimit: this.#context.limits.deliveryAttempts,
      crashes: 0,
      receipt: null,
      sessionId: null,
      firstShownAt: null,
      firstSessionId: null,
      firstDoor: null,
      shownAt: null,
      ackedAt: null,
      ackedBy: null,
      doneAt: null,
      closedAt: null,
      reason: null,
      expiresAt: message.expiresAt,
      wakeDoor,
      nudgedAt: null,
      stalledAt: null,
    });
    return { to, wakeDoor };
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
