// Claude Code's channels (a research preview): a notification that an enabled session is shown as <channel source="hub">. Sessions without them
// drop it without a word, so nothing but reading ever proves this door, and it comes last.

import type { HostedDoor } from './waker.ts';

/** What a server declares, so that a session may take it for a channel. */
export const CHANNEL_CAPABILITY = { 'claude/channel': {} } as const;
export const CHANNEL_METHOD = 'notifications/claude/channel';

/** `notify` sends a notification to the client of this process. */
export function channel(notify: (method: string, params: Record<string, unknown>) => Promise<void>): HostedDoor {
  return {
    kind: 'channel',
    async wake({ line, attemptId }) {
      await notify(CHANNEL_METHOD, { content: line, meta: { kind: 'mail', attempt: attemptId } });
      return { sent: true };
    },
  };
}
