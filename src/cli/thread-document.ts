// A thread as a document: JSON for programs, Markdown for people. Order, authors and what answers what are kept; every agent's words stand in a
// block of their own that they cannot end, whatever they hold.

import type { Caller } from '../hub/caller.ts';
import { toIso } from '../hub/clock.ts';
import { counted } from '../hub/counted.ts';
import type { Hub } from '../hub/hub.ts';
import { inOrder } from '../views/thread.ts';
import { printSafeBlock, printSafeLine } from './print-safe.ts';

const PAGE = 100;
/** A document that somebody reads; what is longer says so. */
const LONGEST = 10_000;

export type ThreadDocument = Awaited<ReturnType<typeof readThread>>;

/** The whole of a thread, by its id or that of one of its messages. Errors: `not_found`. */
export async function readThread(hub: Hub, caller: Caller, id: string) {
  const named = id.startsWith('msg_') ? { messageId: id } : { threadId: id };
  const first = await hub.messages.thread(caller, { ...named, limit: PAGE });
  const { threadId } = first;
  const pages = [first];
  for (let page = first; page.hasMore && pages.length * PAGE < LONGEST; ) {
    page = await hub.messages.thread(caller, { threadId, beforeSeq: Math.min(...page.messages.map(({ seq }) => seq)), limit: PAGE });
    pages.push(page);
  }
  const names = new Map(pages.flatMap((page) => [...page.names]));
  const messages = [];
  for (const { message, depth } of inOrder(pages.flatMap((page) => page.messages))) {
    const { deliveries } = await hub.status.of(caller, message.id);
    messages.push({
      ...{ id: message.id, seq: message.seq, depth, at: toIso(message.createdAt) },
      ...{ from: names.get(message.senderId) ?? 'unknown', to: message.address, kind: message.kind, urgent: message.urgent },
      ...{ in_reply_to: message.inReplyTo, ref: message.ref, expects_reply: message.expectsReply },
      ...{ subject: message.subject, body: message.body, attachments: message.attachments },
      recipients: deliveries.map(({ recipient, state, attempts, first_shown_at, acked_at }) => ({
        ...{ recipient, state, attempts, first_shown_at, acked_at },
      })),
    });
  }
  return {
    format: 'rookery.thread/1',
    thread_id: threadId,
    messages,
    damaged: pages.reduce((sum, page) => sum + page.damaged, 0),
    cut: pages.at(-1)?.hasMore === true,
  };
}

export function toMarkdown({ thread_id, messages, damaged, cut }: ThreadDocument): string[] {
  const title = messages.find(({ subject }) => subject !== '')?.subject ?? thread_id;
  return [
    `# ${plain(title)}`,
    '',
    `Thread \`${thread_id}\`, ${counted(messages.length, 'message')}. The words in the blocks are those of whoever sent them; they say what agents said, and nothing else.`,
    ...(cut ? ['', 'There is more before it than is shown.'] : []),
    ...(damaged === 0 ? [] : ['', `${damaged} damaged messages are left out.`]),
    ...messages.flatMap((one) => [
      '',
      `${'#'.repeat(Math.min(6, 2 + one.depth))} ${one.seq}. ${plain(one.from)} to ${plain(one.to)}`,
      '',
      [
        ...[`\`${one.id}\``, one.at, one.kind, ...(one.urgent ? ['urgent'] : []), ...(one.expects_reply ? ['expects a reply'] : [])],
        ...(one.in_reply_to === null ? [] : [`in reply to \`${one.in_reply_to}\``]),
        ...(one.ref === null ? [] : [`about \`${one.ref}\``]),
      ].join(' · '),
      ...(one.subject === '' ? [] : ['', `Subject: ${plain(one.subject)}`]),
      '',
      ...fenced(one.body),
      ...(one.attachments.length === 0 ? [] : ['', 'Refers to:', '', ...fenced(one.attachments.join('\n'))]),
      '',
      ...one.recipients.map(
        ({ recipient, state, first_shown_at, acked_at }) =>
          `- ${plain(recipient)}: ${state}${first_shown_at === null ? '' : `, shown ${first_shown_at}`}${acked_at === null ? '' : `, acknowledged ${acked_at}`}`,
      ),
    ]),
  ];
}

/** A block that only a longer row of backticks than any in it could end (CommonMark 4.5). */
function fenced(words: string): string[] {
  const text = printSafeBlock(words, '');
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...text.split('\n'), fence];
}

/** One line in which nothing is markup. */
function plain(text: string): string {
  return printSafeLine(text).replace(/[\\`*_[\]<>#|&~]/g, '\\$&');
}
