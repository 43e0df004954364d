// The doors that a stdio server has to the client that started it, by which client that is. What the configuration does not want is not opened.

import type { Config } from '../config.ts';
import { channel } from './channel.ts';
import { findCodex } from './codex-program.ts';
import { codexQueue, type Machine } from './codex-queue.ts';
import { hasSocket, messagingSocket } from './messaging-socket.ts';
import type { HostedDoor } from './waker.ts';

export type Client = {
  /** As it calls itself. */
  name: string;
  /** The thread of Codex that this server serves. */
  threadId: string | undefined;
  parentPid: number;
  notify: (method: string, params: Record<string, unknown>) => Promise<void>;
};

export type DoorSettings = Pick<Config, 'wakeDoors' | 'claudeSocket' | 'codexHome' | 'childEnv'>;

export function clientDoors(client: Client, settings: DoorSettings, machine: Machine): HostedDoor[] {
  return [...claudeDoors(client, settings, machine), ...codexDoors(client, settings, machine)].filter(({ kind }) =>
    settings.wakeDoors.includes(kind),
  );
}

function claudeDoors({ name, notify }: Client, { claudeSocket }: DoorSettings, { sleep }: Machine): HostedDoor[] {
  if (name !== 'claude-code') return [];
  const socket = claudeSocket !== undefined && hasSocket(claudeSocket) ? [messagingSocket(claudeSocket, sleep)] : [];
  return [...socket, channel(notify)];
}

function codexDoors({ threadId, parentPid }: Client, { codexHome, childEnv }: DoorSettings, machine: Machine): HostedDoor[] {
  if (threadId === undefined) return [];
  const codex = findCodex({ home: codexHome, path: childEnv.PATH ?? '', parentPid });
  return codex === undefined ? [] : [codexQueue({ ...codex, thread: threadId }, machine)];
}
