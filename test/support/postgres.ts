// The PostgreSQL of this test run: every place is a schema of its own in it, emptied for the next test.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { startPostgres } from './postgres-server.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder in which test files agree on one server; empty where there is none. */
    postgres: string;
  }
}

type Shared = { url: string };

/** Whether a real PostgreSQL is here. */
export const hasPostgres = inject('postgres') !== '';

let server: Promise<Shared> | undefined;

/** The server of this run; the first that asks starts it. */
export function postgres(): Promise<Shared> {
  server ??= meet(inject('postgres'));
  return server;
}

async function meet(folder: string): Promise<Shared> {
  const told = join(folder, 'server.json');
  try {
    mkdirSync(join(folder, 'starting'));
    const started = await startPostgres({ inMemory: true, toldAt: join(folder, 'place') });
    if (started === undefined) throw new Error('PostgreSQL cannot be started by this user');
    const shared: Shared = { url: started.url() };
    writeFileSync(`${told}.new`, JSON.stringify(shared));
    renameSync(`${told}.new`, told);
    return shared;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  for (let left = 600; left > 0 && !existsSync(told); left--) await new Promise((resolve) => setTimeout(resolve, 50));
  return JSON.parse(readFileSync(told, 'utf8')) as Shared;
}

const free: string[] = [];
let made = 0;

/** A URL of an empty schema. Test files share the server, so schemas are named by process and file. */
export async function freshPlace(): Promise<{ url: string; schema: string }> {
  const { url } = await postgres();
  const schema = free.pop() ?? `place_${process.pid}_${Math.random().toString(36).slice(2, 8)}_${made++}`;
  return { url: `${url}&schema=${schema}`, schema };
}

/** Runs SQL as the server's owner. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: (await postgres()).url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Empties a schema for the next test. Rows go without being held against each other: all of them do. */
export async function emptyPlace(schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: (await postgres()).url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name <> 'schema_version'`,
      [schema],
    );
    const deletes = rows.map(({ name }) => `DELETE FROM "${schema}".${name}`);
    await client.query(`SET session_replication_role = replica; ${deletes.join('; ')}`);
    free.push(schema);
  } finally {
    await client.end();
  }
}
