// One PostgreSQL for a whole test run, started by the first test file that wants it and ended with the run. Where none is installed it says so,
// and PGlite stands in for it.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { lookAfter, postgresPrograms } from './postgres-server.mjs';

export default function setup(project: TestProject): (() => Promise<void>) | undefined {
  if (postgresPrograms() === undefined) {
    process.stderr.write('PostgreSQL is not installed: its tests run on PGlite, and those that need several connections are skipped.\n');
    project.provide('postgres', '');
    return undefined;
  }
  const meeting = mkdtempSync(join(tmpdir(), 'rookery-meeting-'));
  project.provide('postgres', meeting);
  // It ends the server and removes the meeting with this process, even if that is killed, and however far the server’s start had come.
  const warden = lookAfter(meeting);
  return async () => {
    const ended = new Promise((resolve) => warden.once('exit', resolve));
    warden.stdin?.end();
    await ended;
  };
}
