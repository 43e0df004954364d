// The doctor on what the database says: time, sessions of dead processes, dead letters, what is stuck, and whether every delivery is there.

import type { Config } from '../config.ts';
import { toIso } from '../hub/clock.ts';
import { counted } from '../hub/counted.ts';
import { LIMITS } from '../hub/limits.ts';
import { doorEvidence, type HookEvidence, hookEvidence } from '../store/client-evidence.ts';
import type { Db, Read } from '../store/db.ts';
import { conservation, namedStuck, tallyDeliveries } from '../store/overview.ts';
import { findHub, listProjects } from '../store/projects.ts';
import { openSessions } from '../store/sessions.ts';
import { listSweeps } from '../store/sweeps.ts';
import { type Evidence, SESSION_PREFIXES } from './client-hooks.ts';
import type { Probes } from './doctor.ts';
import { type Finding, fail, ok, unknown, warn, wordsOf } from './finding.ts';

const BEAT_MAX_AGE_MS = 15_000;
const STUCK_COUNTED = 1_000;
/** Sweeps come every hour while any process runs the duties. */
const SWEEP_OVERDUE_MS = 86_400_000;

export async function checkRows(
  config: Config,
  database: Pick<Db, 'read'>,
  probes: Probes,
): Promise<{ findings: Finding[]; bornAt: number | undefined; evidence: Evidence | undefined }> {
  try {
    return await database.read(async (read) => {
      const hub = await findHub(read);
      const findings = [
        checkClock(config, hub?.highWaterAt, probes),
        ...(await checkSessions(read, hub?.beatAt, probes)),
        await checkDead(read),
        await checkStuck(config, read, probes),
        await checkCounts(read),
        await checkSweeps(read, probes),
      ];
      return { findings, bornAt: hub?.createdAt, evidence: await evidenceIn(read) };
    });
  } catch (error) {
    const fix = 'rookery verify, then rookery restore FILE with the newest good backup';
    const damaged = fail('rows', `rows cannot be read: ${wordsOf(error)}`, 'Part of the data is damaged.', fix);
    return { findings: [damaged], bornAt: undefined, evidence: undefined };
  }
}

/** What is known of clients; a database that an older program wrote may not know it yet. */
async function evidenceIn(read: Read): Promise<Evidence | undefined> {
  try {
    const hooks: Record<string, HookEvidence> = {};
    for (const prefix of SESSION_PREFIXES) hooks[prefix] = await hookEvidence(read, prefix);
    return { hooks, doors: await doorEvidence(read) };
  } catch {
    return undefined;
  }
}

function checkClock(config: Config, highWaterAt: number | undefined, { now }: Probes): Finding {
  if (highWaterAt === undefined) return unknown('clock', 'the hub has not noted any time yet');
  const behind = highWaterAt - now;
  const limit = config.limits.clockJumpMs ?? LIMITS.clockJumpMs.value;
  return behind <= limit
    ? ok('clock', 'not behind what the hub has seen')
    : warn(
        'clock',
        `${Math.round(behind / 1000)} s behind the latest instant of this hub (${toIso(highWaterAt)})`,
        'Times go on by their own pace until it catches up.',
        'Set the clock of this machine.',
      );
}

async function checkSessions(read: Read, beatAt: number | undefined, { now, isAlive, hostKey }: Probes): Promise<Finding[]> {
  const open = await openSessions(read, null);
  const here = open.filter((session) => session.host === hostKey);
  const dead = here.filter((session) => !isAlive(session.pid));
  const live = here.length - dead.length;
  const [first] = dead;
  const sessions =
    first === undefined
      ? ok('sessions', `${open.length} open`)
      : warn(
          'sessions',
          `${dead.length} of ${open.length} open sessions belong to a process that is gone, such as pid ${first.pid} (${first.clientName})`,
          'Their names are free again, but nothing has noted their end yet.',
          'rookery serve, or the session of any agent, ends them within seconds',
        );
  // rookery serve keeps time without a session.
  const age = now - (beatAt ?? Number.NEGATIVE_INFINITY);
  if (live === 0 && age > BEAT_MAX_AGE_MS) return [sessions, ok('duties', 'nothing runs here that should keep time')];
  return [
    sessions,
    age <= BEAT_MAX_AGE_MS
      ? ok('duties', 'timed duties ran just now')
      : warn(
          'duties',
          `timed duties last ran ${Math.round(age / 1000)} s ago`,
          'Nudges, expiry and notices wait.',
          'Restart the agent’s client, or rookery serve',
        ),
  ];
}

async function checkDead(read: Read): Promise<Finding> {
  const projects = await listProjects(read);
  const counts = await Promise.all(projects.map(async ({ id, name }) => ({ name, dead: (await tallyDeliveries(read, id)).dead })));
  const having = counts.filter(({ dead }) => dead > 0);
  if (having.length === 0) return ok('dead_letters', 'none');
  const what = having.map(({ name, dead }) => `${dead} in ${name}`).join(', ');
  return warn(
    'dead_letters',
    what,
    'They were never acknowledged, are damaged, or are in quarantine; nobody works on them.',
    'rookery dead',
  );
}

async function checkStuck(config: Config, read: Read, { now }: Probes): Promise<Finding> {
  const nudge = config.limits.nudgeAfterMs ?? LIMITS.nudgeAfterMs.value;
  const stalled = config.limits.stalledAfterMs ?? LIMITS.stalledAfterMs.value;
  let stuck = 0;
  for (const { id } of await listProjects(read)) stuck += (await namedStuck(read, id, now - nudge, now - stalled, STUCK_COUNTED)).length;
  return stuck === 0
    ? ok('stuck', 'nothing waits longer than it should')
    : warn(
        'stuck',
        counted(stuck, 'message waits for its reader', 'messages wait for their readers'),
        'Shown and not acknowledged, or never looked at.',
        'rookery status says why of each',
      );
}

async function checkCounts(read: Read): Promise<Finding> {
  const { numbered, present, swept, open } = await conservation(read);
  const kept = swept === 0 ? 'all there' : `${present} there, ${swept} swept after their time`;
  return numbered === present + swept
    ? ok('conservation', `${numbered} deliveries accepted, ${kept}, ${open} open`)
    : fail(
        'conservation',
        `${numbered} deliveries were accepted, ${present} are there and ${swept} were swept`,
        'Some are missing.',
        'rookery verify',
      );
}

/** What retention did last, of all projects, and whether it is kept from running. */
async function checkSweeps(read: Read, { now }: Probes): Promise<Finding> {
  const sweeps = await listSweeps(read);
  const last = Math.max(0, ...sweeps.map(({ endedAt }) => endedAt ?? 0));
  const rows = sweeps.flatMap(({ swept }) => Object.values(swept)).reduce((sum, n) => sum + n, 0);
  if (last === 0) return ok('retention', 'nothing was swept yet');
  const when = `last swept ${toIso(last)}: ${counted(rows, 'row went after its time', 'rows went after their time')}`;
  // A hub that was not in use is swept as soon as it is; one whose duties run has no excuse.
  const runs = now - ((await findHub(read))?.beatAt ?? 0) <= BEAT_MAX_AGE_MS;
  return runs && now - last > SWEEP_OVERDUE_MS
    ? warn(
        'retention',
        when,
        'What is over piles up, although the duties run.',
        'rookery prune; the log of the servers says why they do not',
      )
    : ok('retention', when);
}
