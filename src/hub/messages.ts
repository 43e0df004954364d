// Messages: what is said, to whom, and what became of it. A send is accepted when it is on disk for every recipient, and not before (C1);
// what happens then is the inbox's business. Nothing here says "delivered": message_status tells what is known, with a reason (C10).

import { findAgent } from '../store/agents.ts';
import { UnreadableRow } from '../store/columns.ts';
import type { Row } from '../store/db.ts';
import { findMessage, type MessageRow, threadPage, toMessage } from '../store/messages.ts';
import { findProject } from '../store/projects.ts';
import { resolveAudience } from './addresses.ts';
import { type Caller, oversees } from './caller.ts';
import type { Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { type Draft, toStorable } from './drafts.ts';
import { HubError } from './errors.ts';
import type { Posting, Sent } from './posting.ts';
import { type Recipient, recipientsOf } from './recipients.ts';
import { toReference } from './references.ts';
import { findMessageFor } from './visibility.ts';

export class Messages {
  readonly #context: HubContext;
  readonly #posting: Posting;

  constructor(context: HubContext, posting: Posting) {
    this.#context = context;
    this.#posting = posting;
  }

  /**
   * Accepts a message for all its recipients, or for none. Limits: body `bodyBytes`, subject `subjectChars`, `fanOut` recipients.
   * Errors: too_large, invalid_input, not_found (unknown recipient), inbox_full, rate_limited, conflict (key reused), stale_session.
   */
  async send(caller: Caller, draft: Draft, intent: Intent): Promise<Sent & { replayed?: boolean }> {
    const storable = toStorable(draft, this.#context.limitsOf(caller));
    const attachments = await this.#references(caller, storable.attachments ?? []);
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const audience = await resolveAudience(act.tx, caller, draft.to, act.now, this.#context.limitsOf(caller));
      // A key of its own says that this is a new message, whatever its words (C2).
      const allowDuplicate = draft.allowDuplicate === true || intent.key !== undefined;
      // Who says that no reply is expected means it for the reader's next turn, unless it is urgent.
      const wakes = draft.expectsReply === false && draft.urgent !== true ? false : undefined;
      return await this.#posting.send(act, caller, { ...storable, attachments, allowDuplicate, wakes }, audience);
    });
  }

  /** A message of the caller's with the name of its sender. */
  async read(caller: Caller, messageId: string): Promise<{ message: MessageRow; from: string }> {
    return await this.#context.commands.look(caller, async (read) => {
      await findMessageFor(read, caller, messageId);
      const message = await findMessage(read, caller.projectId, messageId).catch(refuseDamaged);
      if (message === undefined) throw new Error('a message went away within one look');
      return { message, from: (await findAgent(read, message.senderId))?.name ?? 'unknown' };
    });
  }

  /** Waits until every recipient has acknowledged or its delivery is closed; answers how things stand then. */
  async awaitAcks(caller: Caller, messageId: string, ms: number, signal?: AbortSignal): Promise<Recipient[]> {
    const look = () =>
      this.#context.commands.look(caller, async (read) => recipientsOf(this.#context, read, await findMessageFor(read, caller, messageId)));
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
      const parsed = page.slice(-wanted.limit).map(readable);
      const messages = parsed.filter((message) => message !== undefined);
      const names = new Map<string, string>();
      for (const { senderId } of messages) names.set(senderId, names.get(senderId) ?? (await findAgent(read, senderId))?.name ?? 'unknown');
      return { threadId, messages, names, damaged: parsed.length - messages.length, hasMore: page.length > wanted.limit };
    });
  }

  /** References inside the sender's folder or the project's own, which differ in a worktree, by their path from the root. */
  async #references(caller: Caller, given: readonly string[]): Promise<string[]> {
    if (given.length === 0) return [];
    const project = await this.#context.db.read((read) => findProject(read, caller.projectId));
    return given.map((reference) => toReference(reference, [caller.root, project?.root ?? caller.root]));
  }
}

/** The message, or undefined when its stored row is damaged. */
function readable(row: Row): MessageRow | undefined {
  try {
    return toMessage(row);
  } catch (error) {
    if (error instanceof UnreadableRow) return undefined;
    throw error;
  }
}

function refuseDamaged(error: unknown): never {
  if (!(error instanceof UnreadableRow)) throw error;
  throw new HubError('unavailable', 'The stored words of this message are damaged; it cannot be shown.', {
    hint: 'message_status still tells what became of it. The operator can look into a backup: rookery verify names what is damaged.',
    cause: error,
  });
}
