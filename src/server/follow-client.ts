// Following a client: a stdio server keeps to the session that its client is in, as the client's hooks tell it. So an agent is present from its
// client's start and not only from its first call, and stays itself when the person clears or resumes a conversation.

import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import type { Connection } from '../tools/connection.ts';

/** One wait; the next follows at once. */
const WAIT_MS = 60_000;

/** Follows the client that is the process `pid`, until the hub closes. */
export async function followClient(hub: Hub, connection: Connection, pid: number, log: Log): Promise<void> {
  const { waiting, host } = hub.context;
  const born = host.bornOf(pid);
  let known: string | undefined;
  for (;;) {
    const { end, value: key } = await waiting.until(WAIT_MS, undefined, async () => {
      const told = await hub.clientProcesses.keyOf(pid, born);
      if (told === undefined) return {};
      const { current } = connection;
      const isLost = current !== undefined && (await hub.clientProcesses.hasEnded(current));
      return told !== known || isLost ? { found: told } : {};
    });
    if (end === 'shutting_down') return;
    if (key === undefined) continue;
    try {
      await connection.follow(key);
      // Only a hook can have told the key: from now on its agent's busy and idle are known, and not guessed.
      if (connection.current !== undefined) await hub.turns.hasHooks(connection.current);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      log.info({ event: 'follow_refused', reason }, 'the client is in a session that is somebody else’s now');
    }
    known = key;
  }
}
