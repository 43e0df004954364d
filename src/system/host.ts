// What the hub may know about the machine it runs on: enough to tell whether the process behind a session is still alive.

import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
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
  parentOf(pid) {
    try {
      // Linux answers from memory; elsewhere POSIX ps does, in some milliseconds.
      const text =
        process.platform === 'linux'
          ? /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
          : execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], {
              encoding: 'utf8',
              stdio: ['ignore', 'pipe', 'ignore'],
              timeout: 2_000,
            });
      const parent = Number(text?.trim());
      return Number.isInteger(parent) && parent > 0 ? parent : undefined;
    } catch {
      return undefined;
    }
  },
};
