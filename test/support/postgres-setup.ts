// One PostgreSQL for a whole test run, started by the first test file that wants it and ended with the run. Where none is installed it says so,
// and PGlite stands in for it.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { postgresPrograms } from './postgres-server.mjs';

export default function setup(project: TestProject): (() => Promise<void>) | undefined {
  if (postgresPrograms() === undefined) {
    process.stderr.write('PostgreSQL is not installed: its tests run on PGlite, and those that need several connections are skipped.\n');
    project.provide('postgres', '');
    return undefined;
  }
  const meeting = mkdtempSync(join(tmpdir(), 'rookery-meeting-'));
  project.provide('postgres', meeting);
  return async () => {
    const shared = join(meeting, 'server.json');
    if (existsSync(shared)) {
      const { pid, folder } = JSON.parse(readFileSync(shared, 'utf8')) as { pid: number; folder: string };
      await end(pid);
      rmSync(folder, { recursive: true, force: true });
    }
    rmSync(meeting, { recursive: true, force: true });
  };
}

async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGQUIT');
    for (let left = 100; left > 0; left--) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch {
    // It is gone.
  }
}
