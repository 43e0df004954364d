// Looks after one PostgreSQL: when whoever started this is gone, however it went, the server is ended and its folder removed. node postgres-warden.mjs
// PLACE: the server's folder, or a file that names it once there is one. Its standard input is what tells of the end.

import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const place = process.argv[2] ?? '';

process.stdin.resume();
process.stdin.once('end', end);
process.stdin.once('error', end);

async function end() {
  const folder = !existsSync(place) ? undefined : statSync(place).isDirectory() ? place : readFileSync(place, 'utf8').trim();
  // A start that is under way leaves its number in a moment, or ends with whoever began it.
  for (let left = 40; left > 0 && folder !== undefined && existsSync(folder); left--) {
    const pid = pidIn(folder);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGQUIT');
    else if (left < 30) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // A file that names the folder stands in one of its own.
  for (const gone of [folder, place === folder ? undefined : dirname(place)])
    if (gone !== undefined) rmSync(gone, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(0);
}

function pidIn(folder) {
  try {
    return Number.parseInt(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
