// rookery doctor: looks at everything that must be right, says what is wrong, why it matters, and one thing to do about it.
// Invariant: it works when nothing else does (no native module, no packages of the store, a damaged or newer database, a bad setting), so
// each check stands alone, and the database is loaded last and only if it can be.

import type { Step } from '../care/check.ts';
import type { Program } from '../clients/install/program.ts';
import type { Config } from '../config.ts';
import type { HubError } from '../hub/errors.ts';
import type { FileSystemKind } from '../store/sqlite-open.ts';
import { systemClock } from '../system/clock.ts';
import { systemHost } from '../system/host.ts';
import { type LockHolder, writersOf } from '../system/locks.ts';
import { type Answered, type Start, startServer } from './client-server.ts';
import { checkClients } from './clients.ts';
import { type Finding, fail, ok, unknown } from './finding.ts';
import { checkBackups, checkDoorbells, checkLog, checkModes } from './home.ts';
import { checkHookDrops } from './hook-drops.ts';
import { checkDisk, checkFileSystem, checkNode, checkSqlite } from './machine.ts';

/** What the doctor asks of the machine; replaced in tests. */
export type Probes = {
  nodeVersion: string;
  uid: number | undefined;
  userHome: string;
  hostKey: string;
  now: number;
  isAlive: (pid: number) => boolean;
  sleep: (ms: number) => Promise<void>;
  sqlite: () => Promise<{ version: string; trusted: boolean }>;
  fileSystemOf: (folder: string) => Promise<FileSystemKind>;
  writers: (databasePath: string) => LockHolder[] | undefined;
  /** The environment, in which people move the settings of their clients. */
  env: NodeJS.ProcessEnv;
  /** The words that start this Rookery, as an installation would write them. */
  program: Program;
  /** Starts the server of a client’s settings; undefined where that takes too long. */
  startServer: ((start: Start) => Promise<Answered | string>) | undefined;
};

/** What a command knows of its own process. */
export type Process = { userHome: string; env: NodeJS.ProcessEnv; program: Program; startsServers: boolean };

export type Examination = {
  findings: Finding[];
  /** False when the database is there and cannot be used. */
  opened: boolean;
};

export function realProbes({ userHome, env, program, startsServers }: Process): Probes {
  return {
    nodeVersion: process.versions.node,
    uid: process.getuid?.(),
    userHome,
    hostKey: systemHost.key,
    now: systemClock.now(),
    isAlive: systemHost.isAlive,
    sleep: systemClock.sleep,
    sqlite: async () => (await import('../store/sqlite-care.ts')).sqliteVersion(),
    fileSystemOf: async (folder) => (await import('../store/sqlite-open.ts')).fileSystemOf(folder),
    writers: writersOf,
    env,
    program,
    startServer: startsServers ? (start) => startServer(start, systemClock) : undefined,
  };
}

/** Examines the hub of a configuration. `broken`: why the configuration itself could not be read; `config` then holds the places only. */
export async function examine(
  config: Config,
  broken: HubError | undefined,
  deep: boolean,
  probes: Probes,
  step: Step,
): Promise<Examination> {
  const configuration =
    broken === undefined
      ? ok('configuration', `home ${config.home}, project ${config.place.project.name}`)
      : fail('configuration', broken.message, 'Every command refuses to start with it.', broken.hint ?? 'rookery config --explain');
  const sqlite = await checkSqlite(probes);
  const loads = sqlite.every(({ status }) => status === 'ok');
  const onServer = config.databaseUrl !== undefined;
  const database = onServer
    ? await (await import('./server.ts')).checkServer(config, deep, probes, step)
    : loads
      ? await (await import('./database.ts')).checkDatabase(config, deep, probes, step)
      : { findings: [unknown('database', 'not looked at: SQLite does not load')], opened: false, bornAt: undefined, evidence: undefined };
  const findings = [
    configuration,
    checkNode(probes),
    ...sqlite,
    await checkFileSystem(config, probes),
    checkDisk(config),
    ...checkModes(config, probes),
    ...database.findings,
    onServer ? ok('backup', 'PostgreSQL’s own tools do it: docs/deploying.md') : checkBackups(config, probes, database.bornAt),
    checkDoorbells(config, probes),
    checkLog(config),
    ...(await checkClients(config, probes, database.evidence)),
    checkHookDrops(config, probes),
  ];
  return { findings, opened: database.opened };
}
