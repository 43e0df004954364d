// Messages: what is said, to whom, and what became of it. A send is accepted when it is on disk for every recipient, and not before (C1);
// what happens then is the inbox's business. Nothing here says "delivered": message_status tells what is known, with a reason (C10).

import { findAgent } from '../store/agents.ts';
import { type MessageRow, threadPage } from '../store/messages.ts';
import { resolveAudience } from './addresses.ts';
import { authorityOf, type Caller, oversees } from './caller.ts';
import type { Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import type { Draft, Posting, Recipient, Sent } from './posting.ts';
import { SendRates } from './rates.ts';
import { toReference } from './references.ts';
import { findMessageFor } from './visibility.ts';

export class Messages {
  readonly #context: HubContext;
  readonly #posting: Posting;
  readonly #rates: SendRates;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
    this.#rates = new SendRates(context.clock, context.limits);
  }

  /**
   * Accepts a message for all its recipients, or for none. Limits: body `bodyBytes`, subject `subjectChars`, `fanOut` recipients.
   * Errors: too_large, invalid_input, not_found (unknown recipient), inbox_full, rate_limited, conflict (key reused), stale_session.
   */
  async send(caller: Caller, draft: Draft, intent: Intent): Promise<Sent & { replayed?: boolean }> {
    this.#assertSizes(draft);
    const attachments = (draft.attachments ?? []).map((reference) => toReference(reference, [caller.root]));
    if (authorityOf(caller.role) === 'agent' || authorityOf(caller.role) === 'manager') this.#rates.take(caller.agentId);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const audience = await resolveAudience(act.tx, caller, draft.to, act.now, this.#context.limits);
      // A key of its own says that this is a new message, whatever its words (C2).
      const allowDuplicate = draft.allowDuplicate === true || intent.key !== undefined;
      return await this.#posting.post(act, caller, { ...draft, attachments, allowDuplicate }, audience);
    });
  }

  /** A message of the caller's with the name of its sender. */
  async read(caller: Caller, messageId: string): Promise<{ message: MessageRow; from: string }> {
    return await this.#context.commands.look(caller, async (read) => {
      const message = await findMessageFor(read, caller, messageId);
      return { message, from: (await findAgent(read, message.senderId))?.name ?? 'unknown' };
    });
  }

  /** Waits until every recipient has acknowledged or its delivery is closed; answers how things stand then. */
  async awaitAcks(caller: Caller, messageId: string, ms: number, signal?: AbortSignal): Promise<Recipient[]> {
    const look = () => this.#context.commands.look(caller, (read) => this.#posting.recipients(read, { id: messageId }));
    const { value } = await this.#context.waiting.until(ms, signal, async () => {
      const recipients = await look();
      return recipients.every(({ state }) => state !== 'ready' && state !== 'leased') ? { found: recipients } : {};
    });
    return value ?? (await look());
  }

  /** One page of a thread, newest page first, ascending inside it. Re-reading consumes nothing. */
  async thread(
    caller: Caller,
    wanted: {
      threadId?: string | undefined;
      messageId?: string | undefined;
      beforeSeq?: number | undefined;
      limit: number;
    },
  ) {
    return await this.#context.commands.look(caller, async (read) => {
      const threadId =
        wanted.threadId ?? (wanted.messageId === undefined ? undefined : (await findMessageFor(read, caller, wanted.messageId)).threadId);
      if (threadId === undefined)
        throw new HubError('invalid_input', 'Give thread_id or message_id.', {
          hint: 'Both are printed by send and recv_batch.',
        });
      const viewer = oversees(caller) ? null : caller.agentId;
      const page = await threadPage(
        read,
        caller.projectId,
        threadId,
        viewer,
        wanted.beforeSeq ?? Number.MAX_SAFE_INTEGER,
        wanted.limit + 1,
      );
      if (page.length === 0 && wanted.beforeSeq === undefined)
        throw new HubError('not_found', 'No thread of that id that you take part in.', {
          hint: 'Thread ids are printed by send and recv_batch.',
        });
      const messages = page.slice(-wanted.limit);
      const names = new Map<string, string>();
      for (const { senderId } of messages) names.set(senderId, names.get(senderId) ?? (await findAgent(read, senderId))?.name ?? 'unknown');
      return { threadId, messages, names, hasMore: page.length > wanted.limit };
    });
  }

  #assertSizes(draft: Draft): void {
    const { bodyBytes, subjectChars, attachments, messageExpiryMs } = this.#context.limits;
    const bytes = Buffer.byteLength(draft.body);
    if (bytes > bodyBytes) {
      throw new HubError('too_large', `body has ${bytes} bytes; the limit is ${bodyBytes}. Nothing was sent.`, {
        hint: 'Put the long part into a project file and name it in attachments (a path or URI), or send it in parts.',
      });
    }
    if (draft.body.trim() === '')
      throw new HubError('invalid_input', 'body is empty.', { hint: 'Say what the reader needs to know or do.' });
    if ([...(draft.subject ?? '')].length > subjectChars) {
      throw new HubError('too_large', `subject has ${[...(draft.subject ?? '')].length} characters; the limit is ${subjectChars}.`, {
        hint: 'Keep the subject to one line and put the rest into the body.',
      });
    }
    if ((draft.attachments ?? []).length > attachments) {
      throw new HubError('too_large', `attachments has ${draft.attachments?.length} references; the limit is ${attachments}.`, {
        hint: 'List them in a file and attach that.',
      });
    }
    if ((draft.expiresInMs ?? 1) > messageExpiryMs || (draft.expiresInMs ?? 1) <= 0) {
      throw new HubError('invalid_input', `expires_in_seconds must be 1 to ${messageExpiryMs / 1000}.`, {
        hint: 'Leave it out for a message that does not expire.',
      });
    }
  }
}
