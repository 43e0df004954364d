// Writing several files, all or none. Every new content is first put beside its place; a journal with the old contents is on disk before the
// first of them is renamed into place; an error undoes what was done, and what a killed process left is undone by the next one.
// Invariant: a reader of any of the files sees its old bytes or its new ones; after `undoInterrupted` all of them are old.

import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HubError } from '../../hub/errors.ts';
import { digestOf } from './text-file.ts';

export type Change = {
  /** Where the bytes lie. */
  target: string;
  /** What is expected to be there; undefined: nothing. */
  before: Buffer | undefined;
  /** What is to be there; undefined: nothing. */
  after: Buffer | undefined;
  mode: number;
};

/** What the journal keeps of a change: enough to undo it without anything else. */
type Entry = { target: string; temp: string; before: string | null; after: string | null; mode: number; folders: string[] };
type Journal = { pid: number; entries: Entry[] };

const LONGEST_MS = 60_000;

export type Desk = {
  /** Where the journal lies while files are being written. */
  journal: string;
  now: number;
  pid: number;
  isAlive: (pid: number) => boolean;
  /** Told before each step; a test ends the process in one. */
  step?: ((name: string) => void) | undefined;
};

/** Writes every change or none. Answers the folders that were made for each. Throws `conflict`, `unavailable`; nothing is changed then. */
export function writeAll(changes: readonly Change[], desk: Desk): string[][] {
  for (const change of changes) assertWritable(change);
  const entries = changes.map((change, index) => entryOf(change, desk, index));
  mkdirSync(dirname(desk.journal), { recursive: true, mode: 0o700 });
  begin(desk, entries);
  try {
    for (const [index, change] of changes.entries()) prepare(change, entries[index], desk);
    for (const [index, change] of changes.entries()) replace(change, entries[index], desk);
  } catch (error) {
    undo(entries);
    unlinkSync(desk.journal);
    throw error instanceof HubError ? error : notWritten(error);
  }
  desk.step?.('forget the journal');
  unlinkSync(desk.journal);
  return entries.map(({ folders }) => folders);
}

/** Undoes what a process that was killed in the middle has done. Answers the files concerned; none when nothing was interrupted. */
export function undoInterrupted({ journal, now, pid, isAlive }: Omit<Desk, 'step'>): string[] {
  const found = interrupted(journal);
  if (found === undefined) return [];
  // Writing takes a moment: after a minute the process of that number is another one.
  if (found.pid !== pid && isAlive(found.pid) && now - statSync(journal).mtimeMs < LONGEST_MS) throw busy(found.pid);
  undo(found.entries);
  unlinkSync(journal);
  return found.entries.map(({ target }) => target);
}

/** Whether a process was killed in the middle of writing, or is just writing. */
export function interrupted(journal: string): { pid: number; entries: Entry[] } | undefined {
  if (!existsSync(journal)) return undefined;
  try {
    return JSON.parse(readFileSync(journal, 'utf8')) as Journal;
  } catch {
    // Killed while it wrote the journal: nothing had been touched.
    return { pid: 0, entries: [] };
  }
}

/** Only one process at a time gets past this. */
function begin({ journal, pid }: Desk, entries: Entry[]): void {
  try {
    writeNew(journal, Buffer.from(JSON.stringify({ pid, entries } satisfies Journal)), 0o600);
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST' ? busy(0) : notWritten(error);
  }
}

function assertWritable({ target, before }: Change): void {
  if (before === undefined) return;
  // A file that is marked read-only is meant to be: rename would not care.
  if ((statSync(target).mode & 0o200) === 0) {
    throw new HubError('unavailable', `${target} is read-only; nothing was changed.`, {
      hint: `If you mean it: chmod u+w ${target}, then run this again. --dry-run shows what would be written.`,
    });
  }
}

function entryOf({ target, before, after, mode }: Change, { pid }: Desk, index: number): Entry {
  const folders: string[] = [];
  for (let folder = dirname(target); !existsSync(folder); folder = dirname(folder)) folders.unshift(folder);
  return {
    target,
    temp: join(dirname(target), `.${basename(target)}.rookery-${pid}-${index}`),
    before: before?.toString('base64') ?? null,
    after: after === undefined ? null : digestOf(after),
    mode,
    folders: after === undefined ? [] : folders,
  };
}

function prepare({ target, before, after, mode }: Change, entry: Entry | undefined, { step }: Desk): void {
  if (entry === undefined || after === undefined) return;
  step?.(`prepare ${target}`);
  for (const folder of entry.folders) {
    if (existsSync(folder)) continue; // made for another file
    mkdirSync(folder);
    chmodSync(folder, mode | ((mode & 0o444) >> 2)); // who may read the file may enter
  }
  rmSync(entry.temp, { force: true });
  writeNew(entry.temp, after, mode);
  if (before === undefined) return;
  const { uid, gid } = statSync(target);
  const made = statSync(entry.temp);
  if (made.uid !== uid || made.gid !== gid) chownSync(entry.temp, uid, gid);
}

function replace({ target, before, after }: Change, entry: Entry | undefined, { step }: Desk): void {
  if (entry === undefined) return;
  step?.(`replace ${target}`);
  const found = bytesAt(target);
  if (!same(found, before)) {
    throw new HubError('conflict', `${target} was changed by somebody else just now; nothing was written.`, { hint: 'Run this again.' });
  }
  if (after === undefined) unlinkSync(target);
  else renameSync(entry.temp, target);
  syncFolder(dirname(target));
}

function undo(entries: readonly Entry[]): void {
  for (const { target, temp, before, after, mode, folders } of entries.toReversed()) {
    rmSync(temp, { force: true });
    const found = bytesAt(target);
    const isOurs = found === undefined ? after === null : digestOf(found) === after;
    // Whoever has changed it since has the last word.
    if (isOurs && before === null) rmSync(target, { force: true });
    if (isOurs && before !== null) {
      writeNew(temp, Buffer.from(before, 'base64'), mode);
      renameSync(temp, target);
    }
    removeEmpty(folders);
  }
}

/** Removes folders, innermost first, as long as they are empty. */
export function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      return; // somebody has put something in
    }
  }
}

function writeNew(path: string, bytes: Buffer, mode: number): void {
  const handle = openSync(path, 'wx', mode);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(path, mode); // the umask of this program is narrower than what the file had
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function bytesAt(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

function busy(pid: number): HubError {
  return new HubError('unavailable', `Another installation is being written${pid === 0 ? '' : ` (pid ${pid})`}; nothing was changed.`, {
    hint: 'Wait for it, then run this again.',
  });
}

function notWritten(error: unknown): HubError {
  const { code, path } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, path: undefined };
  return new HubError('unavailable', `${path ?? 'A file'} cannot be written (${code ?? 'unknown reason'}); nothing was changed.`, {
    hint: 'Make it and its folder writable for you, then run this again.',
    cause: error,
  });
}
