// Looks after one PostgreSQL: when whoever started this is gone, however it went, the server is ended and its folder removed. node postgres-warden.mjs
// FOLDER: the server's folder, or a meeting, in which the file `place` names it once there is one and which goes with it. Its standard input is
// what tells of the end. It removes nothing but folders of these two kinds, by their names.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const given = process.argv[2] ?? '';
const isServer = (path) => /^rookery-pg-\w{6}$/.test(basename(path));
const isMeeting = (path) => /^rookery-meeting-\w{6}$/.test(basename(path));

if (!isServer(given) && !isMeeting(given)) process.exit(2);
process.stdin.resume();
process.stdin.once('end', end);
process.stdin.once('error', end);

async function end() {
  const server = isServer(given) ? given : placeIn(given);
  if (server !== undefined && isServer(server)) {
    // A start that is under way leaves its number in a moment, or ends with whoever began it.
    for (let left = 40; left > 0 && existsSync(server); left--) {
      const pid = pidIn(server);
      if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGQUIT');
      else if (left < 30) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    remove(server);
  }
  if (isMeeting(given)) remove(given);
  process.exit(0);
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function placeIn(meeting) {
  try {
    return readFileSync(join(meeting, 'place'), 'utf8').trim();
  } catch {
    return undefined;
  }
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
