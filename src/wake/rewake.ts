// `rookery rewake`: what Claude Code starts as an asyncRewake hook when a turn ends. It waits beside the idle session; exiting with 2 begins a turn
// with what it said on standard error. One of them is enough: a later one takes the door over, and each ends in silence when it is of no use,
// above all when the session's own socket has woken it: that is quicker, and needs no process to wait.

import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { agentOfClient, type Told } from './client-agent.ts';
import { Waker } from './waker.ts';

export type RewakeParts = { hub: Hub; told: Told; over: AbortSignal; say: (line: string) => Promise<void>; log: Log };

/** Answers the exit code: 2 when it woke the session, otherwise 0. */
export async function serveRewake({ hub, told, over, say, log }: RewakeParts): Promise<0 | 2> {
  const done = new AbortController();
  let woke = false;
  let opened = false;
  const waker = new Waker({
    hub,
    log,
    sleeper: async () => {
      const sleeper = woke ? undefined : await agentOfClient(hub, told);
      const isOfUse = sleeper !== undefined && (await hub.wakeDoors.isNeeded(sleeper, 'async_rewake', opened));
      if (!isOfUse) done.abort();
      return isOfUse ? sleeper : undefined;
    },
    doors: () => {
      opened = true;
      return [
        {
          kind: 'async_rewake',
          async wake({ line }) {
            await say(line);
            woke = true;
            return { sent: true };
          },
        },
      ];
    },
  });
  await waker.run(AbortSignal.any([over, done.signal]));
  await waker.close().catch(() => {}); // its session or its database is gone, and the door with it
  return woke ? 2 : 0;
}
