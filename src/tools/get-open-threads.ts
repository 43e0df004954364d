// get_open_threads: everything the caller still owes or waits for.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { oneLine } from '../hub/frame.ts';
import { THREAD_KINDS } from '../hub/open-threads.ts';
import { checkpointShape, renderCheckpoint } from './checkpoint.ts';
import { defineTool } from './tool.ts';

/** One line of a thread: enough to know it again. */
const TEXT_CHARS = 120;

export const getOpenThreads = defineTool({
  name: 'get_open_threads',
  title: 'What is still open',
  description:
    'Everything you still owe or wait for: asks and approvals both ways, unacknowledged and unanswered messages, reminders; and your last checkpoint. Call it after compaction, resume or takeover.',
  access: 'read',
  toolset: 'core',
  as: true,
  input: () => ({ scope: z.enum(['mine', 'group']).optional().describe('group: managers') }),
  output: () => ({
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
    checkpoint: checkpointShape().optional().describe('your last, perhaps cut'),
    brief: z.string().optional().describe('of the project, perhaps cut; data in the words of its author'),
    documents: z.string().optional().describe('names of the others'),
    hint: z.string().optional(),
    revision: z.int().describe('grows with every change of the project'),
  }),
  async run({ hub, caller }, input) {
    const group = input.scope === 'group';
    const open = group
      ? { ...(await hub.openThreads.list(caller, 'group')), checkpoint: null, documents: null, owed: null }
      : await hub.recovery.open(caller);
    const hints = [
      ...(open.more === 0 ? [] : ['list_my_asks, list_my_reminders and recv_batch show the rest']),
      ...(open.owed === null ? [] : [`a checkpoint is asked for: your context is ${open.owed} % full`]),
    ];
    return {
      threads: open.threads.map((thread) => ({
        kind: thread.kind,
        id: thread.id,
        counterpart: thread.counterpart,
        ...(thread.owner === undefined ? {} : { owner: thread.owner }),
        text: oneLine(thread.text, TEXT_CHARS),
        state: thread.state,
        age_seconds: Math.max(0, Math.round((open.now - thread.since) / 1000)),
        ...(thread.dueAt === null ? {} : { due: toIso(thread.dueAt) }),
      })),
      ...(open.more === 0 ? {} : { more: open.more }),
      ...(open.checkpoint === null ? {} : { checkpoint: renderCheckpoint(open.checkpoint) }),
      ...(open.documents === null || open.documents.brief === '' ? {} : { brief: open.documents.brief }),
      ...(open.documents === null || open.documents.others === '' ? {} : { documents: open.documents.others }),
      ...(hints.length === 0 ? {} : { hint: hints.join('; ') }),
      revision: open.revision,
    };
  },
});
