// What the hub may know about the machine it runs on: enough to tell whether the process behind a session is still alive.

import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Host } from '../hub/host.ts';

/** A pid means something only on the same host and, in containers, in the same pid namespace. */
function hostKey(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname(); // no /proc: macOS has one pid namespace
  }
}

export const systemHost: Host = {
  key: hostKey(),
  pid: process.pid,
  startedAt: Math.floor(Date.now() - process.uptime() * 1000),
  isAlive(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  },
};
