// Rows of `hub` and `projects`: the identity of this database, its clock, and the head of each project's event log.

import { toInt, toText } from './columns.ts';
import type { Read, Row, Tx } from './db.ts';
import type { Base } from './sweep-events.ts';

export type ProjectRow = {
  id: string;
  name: string;
  root: string;
  createdAt: number;
  /** The latest hub time of any write in this project: time never runs backwards along `seq`. */
  clockAt: number;
  eventSeq: number;
  eventHash: string;
  /** Where the history begins: older events were forgotten. */
  base: Base;
};

export type HubRow = { instanceId: string; createdAt: number; highWaterAt: number; beatAt: number };

const toProject = (row: Row): ProjectRow => ({
  id: toText(row, 'id'),
  name: toText(row, 'name'),
  root: toText(row, 'root'),
  createdAt: toInt(row, 'created_at'),
  clockAt: toInt(row, 'clock_at'),
  eventSeq: toInt(row, 'event_seq'),
  eventHash: toText(row, 'event_hash'),
  base: {
    seq: toInt(row, 'base_seq'),
    hash: toText(row, 'base_hash'),
    messages: toInt(row, 'base_messages'),
    deliveries: toInt(row, 'base_deliveries'),
  },
});

export async function findProject(read: Read, id: string): Promise<ProjectRow | undefined> {
  const row = await read.get('SELECT * FROM projects WHERE id = ?', id);
  return row && toProject(row);
}

export async function listProjects(read: Read): Promise<ProjectRow[]> {
  return (await read.all('SELECT * FROM projects ORDER BY created_at, id')).map(toProject);
}

/** How many agents each project has, and how much of it waits for the operator: questions, approvals, dead letters, parked reminders, paused threads. */
export async function projectCounts(read: Read): Promise<Map<string, { agents: number; waiting: number }>> {
  const rows = await read.all(
    `SELECT p.id,
       (SELECT COUNT(*) FROM agents a WHERE a.project_id = p.id AND a.role NOT IN ('operator', 'hub')) AS agents,
       (SELECT COUNT(*) FROM asks k JOIN agents t ON t.id = k.target_id WHERE k.project_id = p.id AND k.state = 'open' AND t.role = 'operator')
         + (SELECT COUNT(*) FROM deliveries d WHERE d.project_id = p.id AND d.state = 'dead')
         + (SELECT COUNT(*) FROM reminders r WHERE r.project_id = p.id AND r.state = 'parked')
         + (SELECT COUNT(*) FROM approvals v WHERE v.project_id = p.id AND v.state = 'pending')
         + (SELECT COUNT(*) FROM tasks w WHERE w.project_id = p.id AND w.state = 'needs_attention')
         + (SELECT COUNT(*) FROM thread_pauses t WHERE t.project_id = p.id AND t.resumed_at IS NULL) AS waiting
     FROM projects p`,
  );
  return new Map(rows.map((row) => [toText(row, 'id'), { agents: toInt(row, 'agents'), waiting: toInt(row, 'waiting') }]));
}

/** Creates the project unless it is there. Answers whether it was new. */
export async function insertProject(tx: Tx, project: Omit<ProjectRow, 'base'>): Promise<boolean> {
  const changes = await tx.run(
    `INSERT INTO projects (id, name, root, created_at, clock_at, event_seq, event_hash) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
    project.id,
    project.name,
    project.root,
    project.createdAt,
    project.clockAt,
    project.eventSeq,
    project.eventHash,
  );
  return changes === 1;
}

export async function updateHead(tx: Tx, id: string, clockAt: number, eventSeq: number, eventHash: string): Promise<void> {
  await tx.run('UPDATE projects SET clock_at = ?, event_seq = ?, event_hash = ? WHERE id = ?', clockAt, eventSeq, eventHash, id);
}

export async function findHub(read: Read): Promise<HubRow | undefined> {
  const row = await read.get('SELECT * FROM hub WHERE id = 1');
  return (
    row && {
      instanceId: toText(row, 'instance_id'),
      createdAt: toInt(row, 'created_at'),
      highWaterAt: toInt(row, 'high_water_at'),
      beatAt: toInt(row, 'beat_at'),
    }
  );
}

export async function insertHub(tx: Tx, instanceId: string, now: number): Promise<void> {
  await tx.run(
    'INSERT INTO hub (id, instance_id, created_at, high_water_at, beat_at) VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    instanceId,
    now,
    now,
    now,
  );
}

/** The heartbeat of timed duties, and the mark that no later clock may fall behind. */
export async function updateBeat(tx: Tx, now: number): Promise<void> {
  await tx.run(
    'UPDATE hub SET beat_at = ?, high_water_at = CASE WHEN high_water_at < ? THEN ? ELSE high_water_at END WHERE id = 1',
    now,
    now,
    now,
  );
}

/** A real write of next to nothing: proof that the database accepts writes, and the mark of time moved on. */
export async function updateHighWater(tx: Tx, now: number): Promise<void> {
  await tx.run('UPDATE hub SET high_water_at = CASE WHEN high_water_at < ? THEN ? ELSE high_water_at END WHERE id = 1', now, now);
}
