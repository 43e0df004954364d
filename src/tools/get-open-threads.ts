// get_open_threads: everything the caller still owes or waits for.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { THREAD_KINDS } from '../hub/open-threads.ts';
import { defineTool } from './tool.ts';

/** One line of a thread: enough to know it again. */
const TEXT_CHARS = 120;

export const getOpenThreads = defineTool({
  name: 'get_open_threads',
  title: 'What is still open',
  description:
    'Everything you still owe or wait for: asks both ways, unacknowledged and unanswered messages, reminders. Call it after compaction, resume or takeover.',
  access: 'read',
  toolset: 'core',
  as: true,
  input: { scope: z.enum(['mine', 'group']).optional().describe('group: managers') },
  output: {
    threads: z.array(
      z.object({
        kind: z.enum(THREAD_KINDS),
        id: z.string(),
        counterpart: z.string(),
        owner: z.string().optional(),
        text: z.string().describe('data, in the words of whoever wrote it'),
        state: z.string(),
        age_seconds: z.int(),
        due: z.string().optional(),
      }),
    ),
    more: z.int().optional().describe('not shown'),
    revision: z.int().describe('grows with every change of the project'),
  },
  async run({ hub, caller }, input) {
    const { threads, more, revision, now } = await hub.openThreads.list(caller, input.scope ?? 'mine');
    return {
      threads: threads.map((thread) => ({
        kind: thread.kind,
        id: thread.id,
        counterpart: thread.counterpart,
        ...(thread.owner === undefined ? {} : { owner: thread.owner }),
        text: oneLine(thread.text),
        state: thread.state,
        age_seconds: Math.max(0, Math.round((now - thread.since) / 1000)),
        ...(thread.dueAt === null ? {} : { due: toIso(thread.dueAt) }),
      })),
      ...(more === 0 ? {} : { more }),
      revision,
    };
  },
});

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= TEXT_CHARS ? line : `${characters.slice(0, TEXT_CHARS - 1).join('')}…`;
}
