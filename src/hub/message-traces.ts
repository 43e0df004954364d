// The spans of a message: `send` when it is accepted, `recv_batch` each time it is shown, `process` from there to its acknowledgement, and `ack`.
// They stand in the trace of whoever sent it and are linked to the calls that made them. Built only where somebody collects them.

import type { DeliveryRow } from '../store/deliveries.ts';
import { findMessageHead, type MessageHead } from '../store/messages.ts';
import type { Act } from './command.ts';
import type { Attributes } from './telemetry.ts';
import { derivedId, type SpanContext, traceOf } from './trace.ts';

type Traced = Pick<MessageHead, 'id' | 'threadId' | 'traceparent' | 'bodyBytes'>;

/** Trace and span of a message; its trace is its own where its sender told none. */
export function contextOf({ id, traceparent }: Pick<Traced, 'id' | 'traceparent'>): SpanContext {
  return { traceId: traceOf(traceparent)?.traceId ?? derivedId(id, 32), spanId: derivedId(`${id} sent`, 16) };
}

export function traceSent(act: Act, message: Traced, recipients: number): void {
  if (act.spans === undefined) return;
  const parent = traceOf(message.traceparent);
  act.spans.push({
    ...contextOf(message),
    name: 'send inbox/{agent}',
    kind: 'producer',
    parentSpanId: parent?.spanId ?? null,
    startAt: act.now,
    endAt: null,
    attributes: { ...attributesOf(message, 'send', 'send'), 'messaging.batch.message_count': recipients },
    link: linkTo(act, parent?.traceId),
  });
}

export async function traceShown(act: Act, delivery: DeliveryRow): Promise<void> {
  if (act.spans === undefined) return;
  const message = await findMessageHead(act.tx, act.projectId, delivery.messageId);
  if (message === undefined) return;
  const { traceId, spanId } = contextOf(message);
  const attempt = delivery.attempt + 1;
  act.spans.push({
    traceId,
    spanId: shownSpan(delivery, attempt),
    name: 'recv_batch inbox/{agent}',
    kind: 'consumer',
    parentSpanId: spanId,
    startAt: act.now,
    endAt: null,
    attributes: {
      ...attributesOf(message, 'recv_batch', 'receive'),
      'rookery.delivery.attempt': attempt,
      'rookery.delivery.waited_ms': Math.max(0, act.now - message.createdAt),
    },
    link: linkTo(act, traceId),
  });
}

/** `delivery`: as it was before it was acknowledged. */
export async function traceAcked(act: Act, delivery: DeliveryRow, how: 'receipt' | 'id' | 'reply'): Promise<void> {
  if (act.spans === undefined) return;
  const message = await findMessageHead(act.tx, act.projectId, delivery.messageId);
  if (message === undefined) return;
  const { traceId, spanId } = contextOf(message);
  const processed = derivedId(`${delivery.messageId} ${delivery.recipientId} processed`, 16);
  const wasShown = delivery.shownAt !== null;
  act.spans.push({
    traceId,
    spanId: processed,
    name: 'process inbox/{agent}',
    kind: 'consumer',
    parentSpanId: wasShown ? shownSpan(delivery, delivery.attempt) : spanId,
    startAt: delivery.shownAt ?? act.now,
    endAt: act.now,
    attributes: { ...attributesOf(message, 'process', 'process'), 'rookery.delivery.attempt': delivery.attempt },
  });
  act.spans.push({
    traceId,
    spanId: derivedId(`${delivery.messageId} ${delivery.recipientId} acked`, 16),
    name: 'ack inbox/{agent}',
    kind: 'client',
    parentSpanId: processed,
    startAt: act.now,
    endAt: null,
    attributes: { ...attributesOf(message, 'ack', 'settle'), 'rookery.ack.how': how },
    link: linkTo(act, traceId),
  });
}

function shownSpan({ messageId, recipientId }: DeliveryRow, attempt: number): string {
  return derivedId(`${messageId} ${recipientId} shown ${attempt}`, 16);
}

/** The call that does it, unless it is in the same trace and so above it anyway. */
export function linkTo(act: Act, traceId: string | undefined): string | undefined {
  return traceOf(act.traceparent)?.traceId === traceId ? undefined : act.traceparent;
}

function attributesOf(message: Traced, name: string, type: string): Attributes {
  return {
    'messaging.system': 'rookery',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.template': 'inbox/{agent}',
    'messaging.message.id': message.id,
    'messaging.message.conversation_id': message.threadId,
    'messaging.message.body.size': message.bodyBytes,
  };
}
