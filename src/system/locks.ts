// Which processes have a database open, and which holds its write lock, as the kernel tells it: SQLite's locks stand in /proc/locks by inode.
// Only Linux tells; elsewhere the answer is undefined, never "nobody". Nothing here opens the files: that would drop SQLite's own locks (H4).

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** SQLite's WAL locks are bytes of the -shm file: 120 is the writer's (wal.c, os_unix.c: UNIX_SHM_BASE). */
const WRITE_BYTE = 120;

export type LockHolder = { pid: number; name: string; stopped: boolean };

/** Every process that has the database open. */
export function attachedTo(databasePath: string): LockHolder[] | undefined {
  return holders([databasePath, `${databasePath}-shm`], () => true);
}

/** The process that is writing at this instant, if any. */
export function writersOf(databasePath: string): LockHolder[] | undefined {
  return holders([`${databasePath}-shm`], (kind, start) => kind === 'WRITE' && start === WRITE_BYTE);
}

function holders(files: readonly string[], matches: (kind: string, start: number) => boolean): LockHolder[] | undefined {
  const table = readTable();
  if (table === undefined) return undefined;
  const found = files.flatMap((path) => {
    const { ino, dev } = statSync(path, { throwIfNoEntry: false, bigint: true }) ?? {};
    if (ino === undefined || dev === undefined) return [];
    return table.filter(
      (lock) => lock.inode === ino && matches(lock.kind, lock.start) && (lock.device === deviceOf(dev) || hasOpen(lock.pid, path)),
    );
  });
  return [...new Set(found.map(({ pid }) => pid))].map(describe);
}

type Lock = { kind: string; pid: number; device: string; inode: bigint; start: number };

/** `1: POSIX  ADVISORY  WRITE 1234 fe:00:2146370 120 120`; a line with `->` only waits. Pids of other namespaces read as 0. */
export function parseLocks(text: string): Lock[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\d+: POSIX\s+\S+\s+(READ|WRITE)\s+(\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s+(\d+)\s/.exec(line);
    if (found === null) return [];
    const [, kind = '', pid, major = '', minor = '', inode = '', start] = found;
    const device = `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`;
    return [{ kind, pid: Number(pid), device, inode: BigInt(inode), start: Number(start) }];
  });
}

function readTable(): Lock[] | undefined {
  try {
    return parseLocks(readFileSync('/proc/locks', 'utf8'));
  } catch {
    return undefined;
  }
}

/** As /proc/locks writes it; device numbers are split as in Linux's makedev. */
function deviceOf(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** File systems with subvolumes tell locks and files by different devices; the names of open files decide then. */
function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false;
  }
}

function describe(pid: number): LockHolder {
  try {
    // pid (comm) state ...: the name may itself hold blanks and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    return { pid, name: stat.slice(stat.indexOf('(') + 1, end), stopped: /^[Tt]/.test(stat.slice(end + 2)) };
  } catch {
    return { pid, name: 'unknown', stopped: false };
  }
}
