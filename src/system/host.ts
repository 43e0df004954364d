// What the hub may know about the machine it runs on: enough to tell whether the process behind a session is still alive.

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
      // Linux answers from memory.
      const text =
        process.platform === 'linux' ? /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] : askPs('ppid=', pid);
      const parent = Number(text?.trim());
      return Number.isInteger(parent) && parent > 0 ? parent : undefined;
    } catch {
      return undefined;
    }
  },
  bornOf: (pid) => (process.platform === 'linux' ? bornOnLinux(pid) : bornElsewhere(pid)),
};

/** Field 22 of /proc/PID/stat: clock ticks since boot. The second field may hold blanks and parentheses, so counting begins behind its end. */
function bornOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** macOS has no /proc; ps is the portable word on a process. */
function bornElsewhere(pid: number): string | undefined {
  try {
    return askPs('lstart=', pid) || undefined;
  } catch {
    return undefined;
  }
}

/** One field of a process, as POSIX ps tells it in some milliseconds. Throws when there is no such process. */
function askPs(field: string, pid: number): string {
  // Loaded only where it is needed: every hook has this file.
  return process
    .getBuiltinModule('node:child_process')
    .execFileSync('ps', ['-o', field, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2_000,
    })
    .trim();
}
