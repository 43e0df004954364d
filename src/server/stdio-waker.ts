// Waking the client of a stdio server: this process lives as long as its client, so it is the one that wakes it. Loaded with the hub.

import type { Config } from '../config.ts';
import type { Hub } from '../hub/hub.ts';
import type { Log } from '../system/log.ts';
import { clientDoors } from '../wake/client-doors.ts';
import { Waker } from '../wake/waker.ts';
import type { McpSession } from './mcp.ts';

export type WakerParts = {
  config: Config;
  log: Log;
  hub: Hub;
  session: McpSession;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  notify: (method: string, params: Record<string, unknown>) => void;
};

export function wakerOf({ config, log, hub, session, sleep, notify }: WakerParts): Waker {
  return new Waker({
    hub,
    log,
    sleeper: async () => {
      // Codex tells its thread with its first call, and cannot be woken before.
      const isReachable = !/codex/i.test(session.clientName ?? '') || session.threadId !== undefined;
      return session.caller?.epoch != null && isReachable ? session.caller : undefined;
    },
    doors: () => {
      const told = async (method: string, params: Record<string, unknown>) => notify(method, params);
      const client = { name: session.clientName ?? '', threadId: session.threadId, parentPid: process.ppid, notify: told };
      return clientDoors(client, config, { env: config.childEnv, ids: hub.context.ids, sleep });
    },
    busy: () => hub.calls.running > 0,
  });
}
