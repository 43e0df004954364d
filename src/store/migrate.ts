// Brings a database to the schema of this program: numbered SQL files, forward only, all pending ones in one transaction.
// The file set is read once; a test compares the tables and columns of the engines.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Migration = { version: number; name: string; sql: string };

/** "ROOK" in ASCII: marks the file as ours (SQLite application_id). */
export const APPLICATION_ID = 0x524f4f4b;

/** All migrations of an engine in order. They ship as files beside the sources, so this path holds for src/ and dist/ alike. */
export function migrationsOf(engine: 'sqlite' | 'postgres'): readonly Migration[] {
  return filesOf(engine).map((file) => ({
    version: versionOf(file),
    name: file.slice(5, -4),
    sql: readFileSync(new URL(`../../src/store/migrations/${engine}/${file}`, import.meta.url), 'utf8'),
  }));
}

/** The schema version that this program writes. */
export function schemaVersion(engine: 'sqlite' | 'postgres'): number {
  return versionOf(filesOf(engine).at(-1) ?? '0');
}

function filesOf(engine: 'sqlite' | 'postgres'): string[] {
  const folder = fileURLToPath(new URL(`../../src/store/migrations/${engine}/`, import.meta.url));
  return readdirSync(folder)
    .filter((file) => /^\d{4}_.+\.sql$/.test(file))
    .sort();
}

function versionOf(file: string): number {
  return Number(file.slice(0, 4));
}
