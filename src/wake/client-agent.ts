// Whose client started this process: for hosts that are not the client's MCP server, and learn it from what the client's hooks told of its process.

import type { Hub } from '../hub/hub.ts';
import type { Sleeper } from '../hub/wake-doors.ts';

/** What the client tells a process that it starts. */
export type Told = { projectId: string; clientPid: number | undefined; clientKey: string | undefined };

/** The agent that the client is now: the same process goes on under a new key when its person clears the conversation. */
export async function agentOfClient(hub: Hub, { projectId, clientPid, clientKey }: Told): Promise<Sleeper | undefined> {
  const key = (clientPid === undefined ? undefined : await hub.clientProcesses.keyOf(clientPid)) ?? clientKey;
  return key === undefined ? undefined : await hub.clientProcesses.callerOf(projectId, key);
}
