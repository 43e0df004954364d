// Where the hub's database is, for commands that have to know before they open it: a file of this user, or a server that is cared for elsewhere.

import { existsSync } from 'node:fs';
import type { Config } from './config.ts';
import { HubError } from './hub/errors.ts';

/** Whether there is a hub to open: its file, or a server that is looked after elsewhere. */
export function hasHub(config: Config): boolean {
  return config.databaseUrl !== undefined || existsSync(config.databasePath);
}

/** The database as it may be shown: its file, or its URL without the password. */
export function databaseName(config: Config): string {
  return config.databaseUrl === undefined ? config.databasePath : config.databaseUrl.replace(/^(\w+:\/\/[^:@/]*):[^/]*@/, '$1:***@');
}

/** An address as it may be shown: what stands before its host may be a password, or a token. */
export function addressName(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/]*@/, '$1***@');
}

/** A hub on a server is not cared for by files. */
export function assertFile(config: Config, act: string, instead: string): void {
  if (config.databaseUrl === undefined) return;
  throw new HubError('invalid_input', `This hub is on PostgreSQL: rookery ${act} is for a database in a file.`, { hint: instead });
}
