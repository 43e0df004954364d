// The doctor on a hub whose database is a PostgreSQL: whether it is reached and to be trusted, how far away it is, and what its rows say. It changes
// nothing there, not even the schema.

import type { Step } from '../care/check.ts';
import type { Config } from '../config.ts';
import { counted } from '../hub/counted.ts';
import { isHubError } from '../hub/errors.ts';
import { verifyProjects } from '../hub/verify.ts';
import type { Db } from '../store/db.ts';
import { openPostgres } from '../store/postgres-open.ts';
import { systemClock } from '../system/clock.ts';
import type { DatabaseReport } from './database.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, warn, wordsOf } from './finding.ts';
import { checkRows } from './rows.ts';

/** A send is some twelve round trips under the lock of its project. */
const FAR_MS = 2;
const LOOKS = 7;

export async function checkServer(config: Config, deep: boolean, probes: Probes, step: Step): Promise<DatabaseReport> {
  let db: Db;
  try {
    db = await openPostgres({ url: config.databaseUrl ?? '', clock: systemClock, connections: 2, asGuest: true });
  } catch (error) {
    const said = isHubError(error) ? error : undefined;
    const what = said?.message ?? wordsOf(error);
    const finding = fail('database', what, 'No agent can send or receive.', said?.hint ?? 'rookery config --explain');
    return { findings: [finding], opened: false, bornAt: undefined, evidence: undefined };
  }
  try {
    const { name, bytes } = await db.describe();
    const rows = await checkRows(config, db, probes);
    return {
      findings: [
        ok('database', `${name}: opens, ${(bytes / 1_048_576).toFixed(1)} MiB`),
        await checkDistance(db),
        ...db
          .notices()
          .map((notice) => warn('connection', notice, 'Others on the way can read along.', 'sslmode=verify-full in ROOKERY_DATABASE_URL')),
        ...(deep ? [await checkHistory(db, step)] : []),
        ...rows.findings,
      ],
      opened: true,
      bornAt: rows.bornAt,
      evidence: rows.evidence,
    };
  } finally {
    await db.close();
  }
}

async function checkDistance(db: Db): Promise<Finding> {
  const times: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const since = systemClock.monotonic();
    await db.read((read) => read.get('SELECT 1 AS one'));
    times.push(systemClock.monotonic() - since);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(LOOKS / 2)] ?? 0;
  const what = `a look takes ${median.toFixed(1)} ms`;
  return median <= FAR_MS
    ? ok('round_trip', what)
    : warn(
        'round_trip',
        what,
        `A project does no more than some ${Math.floor(1_000 / (12 * median))} sends a second.`,
        'Put the hub beside its server.',
      );
}

async function checkHistory(db: Db, step: Step): Promise<Finding> {
  const bar = step('verifying the history', 1);
  const projects = await verifyProjects({ db });
  bar.end();
  const [first] = projects.flatMap(({ problems }) => problems);
  const events = projects.reduce((sum, project) => sum + project.events, 0);
  return first === undefined
    ? ok('chain', `${counted(events, 'event')} of ${counted(projects.length, 'project')} verify`)
    : fail('chain', first, 'Something that was said or done was altered or lost.', 'rookery verify shows all');
}
