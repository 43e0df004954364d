// Rows of `client_processes`: which session of the client runs in which process, as the client's hook told it.

import { toInt, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';

export type ClientProcessRow = {
  host: string;
  pid: number;
  /** Tells the process from a later one with the same pid. */
  born: string;
  clientKey: string;
  seenAt: number;
};

const toClientProcess = (row: Row): ClientProcessRow => ({
  host: toText(row, 'host'),
  pid: toInt(row, 'pid'),
  born: toText(row, 'born'),
  clientKey: toText(row, 'client_key'),
  seenAt: toInt(row, 'seen_at'),
});

export async function findClientProcess(read: Read, host: string, pid: number): Promise<ClientProcessRow | undefined> {
  const row = await read.get('SELECT * FROM client_processes WHERE host = ? AND pid = ?', host, pid);
  return row && toClientProcess(row);
}

export async function saveClientProcess(tx: Tx, { host, pid, born, clientKey, seenAt }: ClientProcessRow): Promise<void> {
  await tx.run(
    `INSERT INTO client_processes (host, pid, born, client_key, seen_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (host, pid) DO UPDATE SET born = excluded.born, client_key = excluded.client_key, seen_at = excluded.seen_at`,
    host,
    pid,
    born,
    clientKey,
    seenAt,
  );
}

export async function forgetClientProcess(tx: Tx, host: string, pid: number): Promise<void> {
  await tx.run('DELETE FROM client_processes WHERE host = ? AND pid = ?', host, pid);
}

/** The processes of one host that were told of, at most `limit`. */
export async function clientProcessesOf(read: Read, host: string, limit: number): Promise<ClientProcessRow[]> {
  return (await read.all('SELECT * FROM client_processes WHERE host = ? ORDER BY pid LIMIT ?', host, limit)).map(toClientProcess);
}

/** Those of any host that were last told of before then, at most `limit`. */
export async function clientProcessesBefore(read: Read, before: number, limit: number): Promise<ClientProcessRow[]> {
  const rows = await read.all('SELECT * FROM client_processes WHERE seen_at < ? ORDER BY seen_at LIMIT ?', before, limit);
  return rows.map(toClientProcess);
}
