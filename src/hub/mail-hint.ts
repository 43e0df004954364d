// How an agent is told that mail waits, wherever a client takes a line of text: in a wake-up, after a tool, at the end of a turn. Facts only:
// who, what about, how many. Never a body; a subject is quoted as somebody's words.

import type { Read } from '../store/db.ts';
import { type UnreadHead, unreadHeads } from '../store/unread.ts';
import { quote } from './frame.ts';

export type MailHint = {
  /** Who is told. */
  name: string;
  /** Everything ready and never shown, also what wakes nobody. */
  unread: number;
  urgent: number;
  /** The first of them in the order in which they will be shown. */
  heads: readonly UnreadHead[];
};

const HEADS = 3;
const SUBJECT_CHARS = 80;

/** What waits unseen for an agent and the sub-agents in this session of its; undefined when nothing does. */
export async function findMailHint(
  read: Read,
  agent: { id: string; name: string },
  sessionId: string | null,
  now: number,
): Promise<MailHint | undefined> {
  const { heads, unread, urgent } = await unreadHeads(read, agent.id, sessionId, now, HEADS);
  return unread === 0 ? undefined : { name: agent.name, unread, urgent, heads };
}

/** One line, at most some 400 characters. `subjects` false: without anybody's words, for where others of the machine may look on. */
export function mailHintLine({ name, unread, urgent, heads }: MailHint, subjects = true): string {
  const [first, ...others] = heads;
  if (first === undefined) return `Mail for ${name}: ${unread} unread. recv_batch shows them.`;
  const recipient = first.to === name ? name : `your sub-agent ${first.to} (recv_batch with as: "${first.to}")`;
  const more = unread - 1;
  const from = [...new Set(others.map((head) => head.from))].join(', ');
  const alsoUrgent = urgent - (first.urgent ? 1 : 0);
  const queued =
    more === 0
      ? ''
      : ` +${more} more queued${from === '' || more > others.length ? '' : ` (from ${from})`}${
          alsoUrgent > 0 ? `, ${alsoUrgent} of them urgent` : ''
        }; consider draining before acting.`;
  return `Mail for ${recipient} from ${first.from}: ${aboutOf(first, subjects)}.${queued} recv_batch shows ${more === 0 ? 'it' : 'them'}.`;
}

/** What a message is about, as far as that may be said without showing it: its subject, quoted, and its kind. */
export function aboutOf({ subject, kind, urgent, ref }: Pick<UnreadHead, 'subject' | 'kind' | 'urgent' | 'ref'>, subjects = true): string {
  const what = ref?.startsWith('ask_') === true && kind === 'request' ? 'an ask' : kind;
  const marks = urgent ? `urgent, ${what}` : what;
  return !subjects || subject === '' || subject === 'ask' ? marks : `${quote(subject, SUBJECT_CHARS)} (${marks})`;
}
