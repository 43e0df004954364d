// What an installation remembers of each file it writes: what was there before, and a digest of what it left there. By that, uninstalling gives
// back every byte where nobody else has changed the file meanwhile. Records live in the hub's private folder, one per file.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type InstallRecord = {
  readonly client: string;
  readonly scope: string;
  readonly path: string;
  readonly version: string;
  readonly installedAt: number;
  /** The bytes before, as base64; null: there was no file. */
  readonly before: string | null;
  /** The digest of the bytes after. */
  readonly after: string;
  /** Folders that were made for it, outermost first. */
  readonly folders: readonly string[];
};

export function recordPath(home: string, target: string): string {
  return join(home, 'clients', `${createHash('sha256').update(target).digest('hex').slice(0, 24)}.json`);
}

/** The record of a file; undefined where there is none that can be read. */
export function readRecord(home: string, target: string): InstallRecord | undefined {
  const path = recordPath(home, target);
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as InstallRecord;
    return typeof record.after === 'string' && (record.before === null || typeof record.before === 'string') ? record : undefined;
  } catch {
    return undefined;
  }
}
