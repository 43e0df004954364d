// How much memory a process of this machine holds: on Linux from /proc, elsewhere as POSIX ps tells it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const KIB = 1024;

/** Resident bytes; undefined for a process that is gone, or of which the machine does not tell. */
export function residentBytes(pid: number): number | undefined {
  try {
    const text =
      process.platform === 'linux'
        ? /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 2_000 });
    const kib = Number(text?.trim());
    return Number.isFinite(kib) && kib > 0 ? kib * KIB : undefined;
  } catch {
    return undefined;
  }
}
