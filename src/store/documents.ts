// Rows of `documents`: what the agents of a project know in common, by name and version. A version is only ever added; one without a body says that
// the document was removed, and keeps its number, so that no later one is taken for an earlier.

import { toInt, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type DocumentRow = {
  projectId: string;
  name: string;
  version: number;
  body: string;
  bytes: number;
  sha256: string;
  authorId: string;
  writtenAt: number;
};

/** A version without its body. */
export type DocumentHeadRow = Omit<DocumentRow, 'body'>;

const toHead = (row: Row): DocumentHeadRow => ({
  projectId: toText(row, 'project_id'),
  name: toText(row, 'name'),
  version: toInt(row, 'version'),
  bytes: toInt(row, 'bytes'),
  sha256: toText(row, 'sha256'),
  authorId: toText(row, 'author_id'),
  writtenAt: toInt(row, 'written_at'),
});

const toDocument = (row: Row): DocumentRow => ({ ...toHead(row), body: toText(row, 'body') });

/** The newest version, or the one that is named. */
export async function findDocument(read: Read, projectId: string, name: string, version?: number): Promise<DocumentRow | undefined> {
  const row =
    version === undefined
      ? await read.get('SELECT * FROM documents WHERE project_id = ? AND name = ? AND newest = 1', projectId, name)
      : await read.get('SELECT * FROM documents WHERE project_id = ? AND name = ? AND version = ?', projectId, name, version);
  return row && toDocument(row);
}

/** The newest version of each that was not removed, by name. */
export async function listDocuments(read: Read, projectId: string, limit: number): Promise<DocumentHeadRow[]> {
  const rows = await read.all(
    `SELECT project_id, name, version, bytes, sha256, author_id, written_at FROM documents
     WHERE project_id = ? AND newest = 1 AND bytes > 0 ORDER BY name LIMIT ?`,
    projectId,
    limit,
  );
  return rows.map(toHead);
}

/** Adds a version, which is the newest from now on. */
export async function addDocumentVersion(tx: Tx, row: DocumentRow): Promise<void> {
  await tx.run('UPDATE documents SET newest = 0 WHERE project_id = ? AND name = ? AND newest = 1', row.projectId, row.name);
  await tx.run(
    'INSERT INTO documents (project_id, name, version, body, bytes, sha256, author_id, written_at, newest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)',
    row.projectId,
    row.name,
    row.version,
    row.body,
    row.bytes,
    row.sha256,
    row.authorId,
    row.writtenAt,
  );
}

export async function forgetDocumentVersions(tx: Tx, projectId: string, name: string, before: number): Promise<void> {
  await tx.run('DELETE FROM documents WHERE project_id = ? AND name = ? AND version < ?', projectId, name, before);
}
