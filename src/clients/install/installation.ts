// Installing into clients and taking out again: from the edits of each to a plan that can be shown, and from the plan to the files, all or none.
// Invariant: installing twice is installing once; uninstalling gives back the bytes that were there, or, where somebody else has changed the
// file since, takes out exactly what is ours.

import { existsSync, mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toIso } from '../../hub/clock.ts';
import type { Client, ClientName, Wish } from './client.ts';
import { unifiedDiff } from './diff.ts';
import type { Edit } from './edit.ts';
import { withLocks } from './foreign-lock.ts';
import { type InstallRecord, readRecord, recordPath } from './records.ts';
import { digestOf, readTextFile, type TextFile, withText } from './text-file.ts';
import { type Change, type Desk, removeEmpty, undoInterrupted, writeAll } from './write-all.ts';

/** What is to become of one file. */
export type Step = {
  readonly client: ClientName;
  readonly path: string;
  readonly what: string;
  readonly act: 'create' | 'change' | 'delete' | 'none';
  readonly diff: readonly string[];
};

export type Plan = { readonly steps: readonly Step[]; readonly work: readonly Work[] };

/** A step with what is needed to take it. */
type Work = { step: Step; edit: Edit; scope: string; file: TextFile; after: Buffer | undefined; record: InstallRecord | undefined };

export type Wished = { client: Client; wish: Wish };

export type Surroundings = Omit<Desk, 'journal'> & {
  /** The hub's folder: records, the journal and copies are kept there. */
  home: string;
  backupDir: string;
  version: string;
  sleep: (ms: number) => Promise<void>;
};

const PRIVATE = 0o600;
const SHARED = 0o644;
/** Copies kept of each client's files; the newest stay. */
const COPIES = 20;

export const journalOf = (home: string) => join(home, 'clients', 'being-written.json');

/** Undoes what a killed installation left half done. To be called before a plan is made that is to be carried out. Answers the files. */
export function settle(around: Surroundings): string[] {
  return undoInterrupted({ ...around, journal: journalOf(around.home) });
}

/** What installing would change. Throws `conflict` where something cannot be done safely; nothing is written either way. */
export function planInstall(wished: readonly Wished[], home: string): Plan {
  return plan(wished, home, (edit, file) => withText(file, edit.install(file.text)));
}

/** What uninstalling would change. */
export function planUninstall(wished: readonly Wished[], home: string): Plan {
  return plan(wished, home, (edit, file, record) => {
    if (file.bytes === undefined) return undefined;
    if (record !== undefined && digestOf(file.bytes) === record.after)
      return record.before === null ? undefined : Buffer.from(record.before, 'base64');
    const text = edit.uninstall(file.text, originalText(record));
    if (record?.before === null && edit.isEmpty(text)) return undefined;
    return text === file.text ? file.bytes : withText(file, text);
  });
}

function plan(
  wished: readonly Wished[],
  home: string,
  next: (edit: Edit, file: TextFile, record: InstallRecord | undefined) => Buffer | undefined,
): Plan {
  const work = wished.flatMap(({ client, wish }) =>
    client.edits(wish).map((edit): Work => {
      const file = readTextFile(edit.path);
      const record = readRecord(home, file.target);
      const after = next(edit, file, record);
      const step = { client: client.name, path: edit.path, what: edit.what, act: actOf(file, after), diff: diffOf(file, after) };
      return { step, edit, scope: wish.scope, file, after, record };
    }),
  );
  return { steps: work.map(({ step }) => step), work };
}

export type Written = Step & { readonly backup?: string };

/** Takes every step of a plan or none. Answers them with the copies that were made of what was there. */
export async function carryOut({ work }: Plan, kind: 'install' | 'uninstall', around: Surroundings): Promise<Written[]> {
  const todo = work.filter(({ step }) => step.act !== 'none');
  const desk = { ...around, journal: journalOf(around.home) };
  const records = work.flatMap((one) => recordChange(one, kind, around));
  const locks = todo.flatMap(({ edit }) => edit.lock ?? []);
  const backups = await withLocks(locks, around, () => {
    const changes = todo.map(toChange);
    if (changes.length + records.length === 0) return [];
    const copies = todo.map((one) => copyOf(one, around));
    try {
      writeAll([...changes, ...records], desk);
    } catch (error) {
      for (const copy of copies) if (copy !== undefined) unlinkSync(copy);
      throw error;
    }
    return copies;
  });
  if (kind === 'uninstall') for (const { after, record } of todo) if (after === undefined) removeEmpty(record?.folders ?? []);
  return work.map((one) => {
    const backup = backups[todo.indexOf(one)];
    return backup === undefined ? one.step : { ...one.step, backup };
  });
}

function toChange({ file, after, edit }: Work): Change {
  return { target: file.target, before: file.bytes, after, mode: file.mode ?? (edit.shared ? SHARED : PRIVATE) };
}

/** The record that belongs to the new state of a file: written with the files themselves, so that they cannot disagree. */
function recordChange({ step, edit, scope, file, after, record }: Work, kind: 'install' | 'uninstall', around: Surroundings): Change[] {
  const target = recordPath(around.home, file.target);
  const known = readTextFile(target).bytes;
  if (kind === 'uninstall') return known === undefined ? [] : [{ target, before: known, after: undefined, mode: PRIVATE }];
  if (after === undefined || step.act === 'none') return [];
  const before = beforeUs(edit, file, record);
  const fresh: InstallRecord = {
    client: step.client,
    scope,
    path: edit.path,
    version: around.version,
    installedAt: around.now,
    before: before?.toString('base64') ?? null,
    after: digestOf(after),
    folders: record?.folders ?? missingFolders(file.target),
  };
  return [{ target, before: known, after: Buffer.from(`${JSON.stringify(fresh)}\n`), mode: PRIVATE }];
}

/** What a file was like without us: as remembered, or, where somebody has changed it since, with ours taken out of it. */
function beforeUs(edit: Edit, file: TextFile, record: InstallRecord | undefined): Buffer | undefined {
  if (file.bytes === undefined) return undefined;
  if (record !== undefined && digestOf(file.bytes) === record.after)
    return record.before === null ? undefined : Buffer.from(record.before, 'base64');
  const text = edit.uninstall(file.text, originalText(record) ?? file.text);
  if (record?.before === null && edit.isEmpty(text)) return undefined;
  return text === file.text ? file.bytes : withText(file, text);
}

function originalText(record: InstallRecord | undefined): string | undefined {
  return record === undefined ? undefined : Buffer.from(record.before ?? '', 'base64').toString();
}

function missingFolders(target: string): string[] {
  const folders: string[] = [];
  for (let folder = join(target, '..'); !existsSync(folder); folder = join(folder, '..')) folders.unshift(folder);
  return folders;
}

function actOf(file: TextFile, after: Buffer | undefined): Step['act'] {
  if (file.bytes === undefined) return after === undefined ? 'none' : 'create';
  if (after === undefined) return 'delete';
  return after.equals(file.bytes) ? 'none' : 'change';
}

function diffOf(file: TextFile, after: Buffer | undefined): string[] {
  return unifiedDiff(file.path, file.bytes?.toString(), after?.toString());
}

/** A copy of what was there, for a person who wants it back. */
function copyOf({ step, file }: Work, { backupDir, now }: Surroundings): string | undefined {
  if (file.bytes === undefined) return undefined;
  const folder = join(backupDir, 'clients');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = `${step.client}-${basename(file.target).replace(/^\.+/, '')}`;
  const stamp = toIso(now).replaceAll(/[:.]/g, '-');
  let path = join(folder, `${stamp}-${name}`);
  for (let again = 2; existsSync(path); again++) path = join(folder, `${stamp}-${again}-${name}`);
  writeFileSync(path, file.bytes, { flag: 'wx', mode: PRIVATE });
  const older = readdirSync(folder).filter((entry) => entry.endsWith(`-${name}`));
  const byAge = older.sort((a, b) => statSync(join(folder, b)).mtimeMs - statSync(join(folder, a)).mtimeMs || (a < b ? 1 : -1));
  for (const old of byAge.slice(COPIES)) unlinkSync(join(folder, old));
  return path;
}
