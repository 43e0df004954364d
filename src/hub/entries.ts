// What is entered when somebody posts: the message as its row will be, the event that vouches for it, and the delivery to one recipient. Nothing here
// asks the database anything, so that one message and many at once are made alike.

import type { AgentRow } from '../store/agents.ts';
import type { NewDelivery } from '../store/deliveries.ts';
import type { MessageHead, MessageRow } from '../store/messages.ts';
import type { Audience } from './addresses.ts';
import { type Caller, relationOf } from './caller.ts';
import type { Act } from './command.ts';
import type { HubContext } from './context.ts';
import { type Draft, wellFormed } from './drafts.ts';
import { messageDigest } from './events.ts';
import { isLive } from './presence.ts';
import type { Attached } from './recipients.ts';

/** The whole of a message that is a courtesy and nothing else. Such a message wakes nobody (C17); it decides nothing. */
const BARE_THANKS =
  /^(many |ok,? |okay,? |great,? |perfect,? )?(thanks|thank you|thx|ty|cheers|got it|ok|okay|noted|ack|acknowledged|will do|sounds good)( (so|very) much| a lot| again| everyone| all)?[\s.!\u{1F44D}\u{1F64F}]*$/iu;

/** The message, which has its place (`seq`) once its event is emitted. */
export function compose(
  context: HubContext,
  act: Act,
  sender: Caller,
  draft: Draft,
  audience: Audience,
  parent: MessageHead | undefined,
): MessageRow {
  const subject = wellFormed(draft.subject ?? '');
  const body = wellFormed(draft.body);
  const attachments = [...(draft.attachments ?? [])];
  const kind = draft.kind ?? 'note';
  const quiet = kind === 'note' && attachments.length === 0 && draft.expectsReply !== true && BARE_THANKS.test(draft.body.trim());
  return {
    id: context.ids.next('msg'),
    projectId: act.projectId,
    seq: 0,
    threadId: parent?.threadId ?? context.ids.next('thr'),
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

/** Tells the history of a message, and answers the message with its place in it. */
export async function emitSent(act: Act, sender: Caller, composed: MessageRow, recipients: readonly AgentRow[]): Promise<MessageRow> {
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
  return { ...composed, seq };
}

/** The door at which a recipient stands at this moment: a call of its own that waits for mail. */
export function waitingDoor(context: HubContext, act: Act, { agent, own }: Attached): 'waiting_call' | null {
  // A wait of a sub-agent's session may be its parent's: it is not known to wake the sub-agent.
  const session = agent.parentSessionId === null ? own : undefined;
  return (session?.waitingUntil ?? 0) > act.now && isLive(context, session) ? 'waiting_call' : null;
}

/** `senderSeq`: its number among those from this sender to this recipient (C3). */
export function deliveryOf(
  context: HubContext,
  act: Act,
  sender: Caller,
  message: MessageRow,
  recipient: AgentRow,
  { senderSeq, wakeDoor }: Pick<NewDelivery, 'senderSeq' | 'wakeDoor'>,
): NewDelivery {
  return {
    messageId: message.id,
    recipientId: recipient.id,
    projectId: act.projectId,
    senderId: sender.agentId,
    seq: message.seq,
    senderSeq,
    urgent: message.urgent,
    authority: relationOf(sender, recipient),
    readyAt: act.now,
    attemptLimit: context.limits.deliveryAttempts,
    expiresAt: message.expiresAt,
    wakeDoor,
  };
}
