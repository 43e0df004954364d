// thread: a conversation as a tree, in order, with the truth about every message for each of its recipients (C10). A chain of single replies
// stays on one level; where several answer the same message, each branch is a level deeper.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { cutUtf8 } from '../hub/shown.ts';
import { defineView, pageSize } from './view.ts';

export const thread = defineView({
  name: 'thread',
  what: 'A thread as a tree, in order, with every recipient’s truth; its newest page, before_seq goes back',
  input: {
    thread_id: z.string().min(1).max(64).optional(),
    message_id: z.string().min(1).max(64).optional().describe('any message of the thread'),
    before_seq: z.coerce.number().int().min(1).optional(),
    limit: pageSize(50, 100),
  },
  async run({ hub, caller }, { thread_id, message_id, before_seq, limit }) {
    const page = await hub.messages.thread(caller, { threadId: thread_id, messageId: message_id, beforeSeq: before_seq, limit });
    const pause = await hub.threads.pauseOf(caller, page.threadId);
    const placed = inOrder(page.messages);
    const messages = await Promise.all(
      placed.map(async ({ message, depth }) => {
        const inline = cutUtf8(message.body, 0, hub.limits.inlineBodyBytes);
        return {
          id: message.id,
          seq: message.seq,
          depth,
          at: toIso(message.createdAt),
          from: page.names.get(message.senderId) ?? 'unknown',
          to: message.address,
          kind: message.kind,
          urgent: message.urgent,
          subject: message.subject,
          body: inline.text,
          whole: inline.next === null,
          attachments: message.attachments,
          in_reply_to: message.inReplyTo,
          ref: message.ref,
          expects_reply: message.expectsReply,
          recipients: (await hub.status.of(caller, message.id)).deliveries,
        };
      }),
    );
    return {
      thread_id: page.threadId,
      messages,
      paused: pause === undefined ? null : { reason: pause.reason, paused_at: toIso(pause.pausedAt) },
      has_more: page.hasMore,
      first_seq: Math.min(...page.messages.map(({ seq }) => seq)),
      damaged: page.damaged,
    };
  },
});
export type ThreadReply = Awaited<ReturnType<typeof thread.run>>;

/** Every message after the one it answers, siblings by seq. What answers nothing on this page begins a level of its own. */
export function inOrder<M extends { id: string; seq: number; inReplyTo: string | null }>(
  messages: readonly M[],
): { message: M; depth: number }[] {
  const known = new Set(messages.map(({ id }) => id));
  const replies = new Map<string | null, M[]>();
  for (const message of [...messages].sort((a, b) => a.seq - b.seq)) {
    const parent = message.inReplyTo !== null && known.has(message.inReplyTo) ? message.inReplyTo : null;
    replies.set(parent, [...(replies.get(parent) ?? []), message]);
  }
  const placed: { message: M; depth: number }[] = [];
  // A list of what is still to be placed, not recursion: a chain may be as long as a page.
  const next = (replies.get(null) ?? []).map((message) => ({ message, depth: 0 })).reverse();
  for (let one = next.pop(); one !== undefined; one = next.pop()) {
    placed.push(one);
    const answers = replies.get(one.message.id) ?? [];
    const depth = one.depth + (answers.length > 1 ? 1 : 0);
    for (const message of [...answers].reverse()) next.push({ message, depth });
  }
  return placed;
}
