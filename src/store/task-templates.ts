// Rows of `task_templates`: plans that are made again and again, each under a name of its project.

import { toInt, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type TemplateRow = {
  projectId: string;
  name: string;
  /** JSON, as it was checked when it came in. */
  definition: string;
  version: number;
  creatorId: string;
  updatedAt: number;
};

export const toTemplate = (row: Row): TemplateRow => ({
  projectId: toText(row, 'project_id'),
  name: toText(row, 'name'),
  definition: toText(row, 'definition'),
  version: toInt(row, 'version'),
  creatorId: toText(row, 'creator_id'),
  updatedAt: toInt(row, 'updated_at'),
});

export async function findTemplate(read: Read, projectId: string, name: string): Promise<TemplateRow | undefined> {
  const row = await read.get('SELECT * FROM task_templates WHERE project_id = ? AND name = ?', projectId, name);
  return row && toTemplate(row);
}

export async function templateNames(read: Read, projectId: string, limit: number): Promise<string[]> {
  const rows = await read.all('SELECT name FROM task_templates WHERE project_id = ? ORDER BY name LIMIT ?', projectId, limit);
  return rows.map((row) => toText(row, 'name'));
}

/** Writes a template, or its next version; answers which. */
export async function putTemplate(tx: Tx, template: Omit<TemplateRow, 'version'>): Promise<number> {
  const row = await tx.get(
    `INSERT INTO task_templates (project_id, name, definition, version, creator_id, updated_at) VALUES (?, ?, ?, 1, ?, ?)
     ON CONFLICT (project_id, name) DO UPDATE SET definition = excluded.definition, version = task_templates.version + 1,
       creator_id = excluded.creator_id, updated_at = excluded.updated_at RETURNING version`,
    template.projectId,
    template.name,
    template.definition,
    template.creatorId,
    template.updatedAt,
  );
  if (row === undefined) throw new Error('the version of a template was not returned');
  return toInt(row, 'version');
}
