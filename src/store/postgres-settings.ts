// ROOKERY_DATABASE_URL as settings of connections. Invariant: the way to a server on another machine is encrypted and the server proves its name
// (sslmode=verify-full), unless the URL says sslmode=disable in so many words; then a notice says so. Nothing here shows a password.

import { readFileSync } from 'node:fs';
import { HubError } from '../hub/errors.ts';

export type PgSettings = {
  host: string;
  port: number;
  database: string;
  user: string | undefined;
  password: string | undefined;
  /** The schema that holds the hub; another than `public` lets several hubs share a database. */
  schema: string;
  ssl: false | { ca?: string; cert?: string; key?: string; rejectUnauthorized: true; servername?: string };
  /** How it is named to people. */
  name: string;
  notices: readonly string[];
};

const KNOWN = ['host', 'port', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'schema'];

/** Reads a URL: postgres://user:password@host:port/database?sslmode=...&schema=... Throws `invalid_input` that never repeats it. */
export function pgSettings(url: string): PgSettings {
  const parsed = parse(url);
  const options = parsed.searchParams;
  const unknown = [...options.keys()].find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw refusal(`${unknown.slice(0, 40)} is not known`, `Known are ${KNOWN.join(', ')}.`);
  const host = options.get('host') ?? (decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, '') || 'localhost');
  const port = Number(options.get('port') ?? (parsed.port === '' ? 5432 : parsed.port));
  const database = decodeURIComponent(parsed.pathname.slice(1));
  const schema = options.get('schema') ?? 'public';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refusal('the port is not one', 'For example :5432');
  if (database === '') throw refusal('it names no database', 'For example postgres://rookery@db.example/rookery');
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw refusal('schema must be a plain lower-case name', 'For example schema=rookery');
  const local = isLocal(host);
  const mode = options.get('sslmode') ?? (local ? 'disable' : 'verify-full');
  if (mode !== 'disable' && mode !== 'verify-full') {
    throw refusal(
      `sslmode=${mode.slice(0, 20)} does not prove who answers`,
      'Use sslmode=verify-full, with sslrootcert=FILE for an authority of your own.',
    );
  }
  const name = `PostgreSQL ${host.startsWith('/') ? `in ${host}` : `at ${host}:${port}`}, database ${database}${schema === 'public' ? '' : `, schema ${schema}`}`;
  return {
    ...{ host, port, database, schema, name },
    user: decodeURIComponent(parsed.username) || undefined,
    password: decodeURIComponent(parsed.password) || undefined,
    ssl: mode === 'disable' ? false : tlsOf(options, host),
    notices: mode === 'disable' && !local ? [`The connection to ${name}, is not encrypted (sslmode=disable).`] : [],
  };
}

function parse(url: string): URL {
  try {
    const parsed = new URL(url);
    if (parsed.protocol === 'postgres:' || parsed.protocol === 'postgresql:') return parsed;
  } catch {
    // Said below, without the text, which may hold a password.
  }
  throw refusal('it is not a PostgreSQL URL', 'For example postgres://rookery:secret@db.example:5432/rookery');
}

function tlsOf(options: URLSearchParams, host: string): PgSettings['ssl'] {
  const pem = (key: string) => {
    const path = options.get(key);
    return path === null ? {} : { [key.slice(3)]: read(key, path) };
  };
  const { rootcert, cert, key }: { rootcert?: string; cert?: string; key?: string } = {
    ...pem('sslrootcert'),
    ...pem('sslcert'),
    ...pem('sslkey'),
  };
  return {
    rejectUnauthorized: true,
    ...(rootcert === undefined ? {} : { ca: rootcert }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
  };
}

function read(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HubError('invalid_input', `ROOKERY_DATABASE_URL: ${key} ${path} cannot be read.`, { hint: 'Give a PEM file.', cause: error });
  }
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function refusal(what: string, hint: string): HubError {
  return new HubError('invalid_input', `ROOKERY_DATABASE_URL: ${what}.`, { hint });
}
