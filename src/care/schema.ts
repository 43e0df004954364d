// The schema of the database: what it is, what this program knows, and what would be done to bring it there. Looking changes nothing.

import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { HubError } from '../hub/errors.ts';
import { migrationsOf, schemaVersion } from '../store/migrate.ts';
import { refuseUnknown } from '../store/moving.ts';
import { SqliteFile } from '../store/sqlite-care.ts';

export type SchemaState = { path: string; schema: number; known: number; pending: { version: number; name: string }[] };

/** Errors: `not_found` without a database, `invalid_input` for another program's, `unavailable` for damage. */
export function schemaState({ databasePath: path, home }: Config): SchemaState {
  if (!existsSync(path))
    throw new HubError('not_found', `There is no hub in ${home} yet.`, { hint: 'It comes to be with the first session or command.' });
  const file = new SqliteFile(path);
  try {
    const { ours, schema } = file.facts();
    if (!ours && schema > 0)
      throw new HubError('invalid_input', `${path} is not a hub: another program wrote it.`, {
        hint: 'Set ROOKERY_HOME to another folder.',
      });
    refuseUnknown(path, schema, schemaVersion('sqlite'));
    const pending = migrationsOf('sqlite').filter(({ version }) => version > schema);
    return {
      path,
      schema,
      known: schemaVersion('sqlite'),
      pending: pending.map(({ version, name }) => ({ version, name: name.replaceAll('_', ' ') })),
    };
  } finally {
    file.close();
  }
}
