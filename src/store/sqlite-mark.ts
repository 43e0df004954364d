// How far the database had come, in a small file beside it: the project and event number of the last promise given. A database whose log was
// lost, or that an older copy has replaced, opens as if nothing were missing; this file says that something is. It is written without a sync of
// its own, after the commit: a power cut may leave it behind the database, never ahead of what was acknowledged.

import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { prepared } from './sqlite-statements.ts';

/** Beside the database: the mark, and the one that it was found to be behind. */
export const MARK = '-mark';
export const OLDER = '-mark.older';

/** Always as long, so that one write replaces all of it. */
const LENGTH = 128;

export type Head = { projectId: string; seq: number };

export class Mark {
  readonly #path: string;
  #file: number | undefined;
  #isLost = false;

  constructor(databasePath: string) {
    this.#path = databasePath + MARK;
  }

  /** Notes the head of a project. That it cannot be noted (no space, no rights) is no reason to refuse what is committed already. */
  note({ projectId, seq }: Head): void {
    if (this.#isLost) return;
    try {
      this.#file ??= openSync(this.#path, existsSync(this.#path) ? 'r+' : 'w', 0o600);
      writeSync(this.#file, `${projectId} ${seq}`.padEnd(LENGTH - 1).concat('\n'), 0);
    } catch {
      this.#isLost = true;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Looks whether the database is behind its mark, and keeps that mark where it is: the next promise writes a new one. */
export function keepIfOlder(db: Database.Database): void {
  const marked = readMark(db.name + MARK);
  const seq = marked && headOf(db, marked.projectId)?.seq;
  if (marked !== undefined && seq !== undefined && seq < marked.seq && !existsSync(db.name + OLDER))
    renameSync(db.name + MARK, db.name + OLDER);
}

/** The sentence for the operator while the database is older than it was. */
export function olderNotices(path: string): string[] {
  const marked = readMark(path + OLDER);
  if (marked === undefined) return [];
  return [
    `${path} is older than it was: event ${marked.seq} of project ${marked.projectId} was acknowledged and is missing (its log was lost, or an ` +
      `older copy put in its place). Restore the newest backup with \`rookery restore FILE\`, or accept the loss by removing ${path}${OLDER}.`,
  ];
}

function readMark(path: string): Head | undefined {
  try {
    const [projectId = '', seq = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return /^\d+$/.test(seq) ? { projectId, seq: Number(seq) } : undefined;
  } catch {
    return undefined; // none yet
  }
}

/** How far a project is, as this connection sees it; undefined where there is no such project. */
export function headOf(db: Database.Database, projectId: string): Head | undefined {
  const seq = prepared(db, 'SELECT event_seq FROM projects WHERE id = ?').pluck().get(projectId);
  return typeof seq === 'number' ? { projectId, seq } : undefined;
}
