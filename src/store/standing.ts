// What every change and every look of a caller begins with, in one statement: the head of its project and the time of its latest change, the stamp
// of the policies, and whether its session still holds its agent.

import { toInt, toIntOrNull, toText, toTextOrNull } from './columns.ts';
import type { Read, Row } from './db.ts';

export type Standing = {
  /** The latest hub time of any write in this project. */
  clockAt: number;
  eventSeq: number;
  eventHash: string;
  policyStamp: string;
  /** The session that was asked after; undefined where none was, or there is none. */
  session: { agentId: string; epoch: number; agentEpoch: number; endedAt: number | null; endReason: string | null } | undefined;
};

const toStanding = (row: Row): Standing => ({
  clockAt: toInt(row, 'clock_at'),
  eventSeq: toInt(row, 'event_seq'),
  eventHash: toText(row, 'event_hash'),
  policyStamp: toTextOrNull(row, 'policy_stamp') ?? '',
  session:
    row.agent_id === null || row.agent_id === undefined
      ? undefined
      : {
          agentId: toText(row, 'agent_id'),
          epoch: toInt(row, 'epoch'),
          agentEpoch: toInt(row, 'agent_epoch'),
          endedAt: toIntOrNull(row, 'ended_at'),
          endReason: toTextOrNull(row, 'end_reason'),
        },
});

const HEAD = 'p.clock_at, p.event_seq, p.event_hash, (SELECT policy_stamp FROM hub WHERE id = 1) AS policy_stamp';

/** `sessionId` null: a principal without sessions. Undefined: there is no such project. */
export async function findStanding(read: Read, projectId: string, sessionId: string | null): Promise<Standing | undefined> {
  const row =
    sessionId === null
      ? await read.get(`SELECT ${HEAD} FROM projects p WHERE p.id = ?`, projectId)
      : await read.get(
          `SELECT ${HEAD}, a.id AS agent_id, s.epoch, a.epoch AS agent_epoch, s.ended_at, s.end_reason
           FROM projects p LEFT JOIN sessions s ON s.id = ? LEFT JOIN agents a ON a.id = s.agent_id WHERE p.id = ?`,
          sessionId,
          projectId,
        );
  return row && toStanding(row);
}

/** The latest hub time of any write in a project; 0 for one that is not known. */
export async function clockOf(read: Read, projectId: string): Promise<number> {
  const row = await read.get('SELECT clock_at FROM projects WHERE id = ?', projectId);
  return row === undefined ? 0 : toInt(row, 'clock_at');
}
