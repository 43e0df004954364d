// A disk without a byte left, and a log that can neither grow nor be folded into the database: what is over is pruned all the same, by the room
// that was kept for it, and sends go on without a larger disk. The control: without the ballast the same command is refused.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readOwn } from '../history.mjs';
import { PACKAGE, pause } from '../hub.mjs';
import { smallDisk } from './mounts.mjs';
import { stage, startSender } from './stage.mjs';

/** Messages are over after a second here, and the floor of the disk is low, so that a small one will do. */
const LIMITS = { messageKeptMs: 1_000, diskFloorBytes: 1_048_576 };
const MIB = 1_048_576;
/** So many refusals, and the log is as full as the disk. */
const REFUSALS = 50;

/** Sends `sends` messages on a disk of `kilobytes`, fills it, prunes, and waits for `more` acknowledgements. */
export async function proveBallast({ kilobytes = 49_152, sends = 500, more = 50, limitMs = 60_000 }) {
  const disk = smallDisk(kilobytes);
  const home = await stage({ names: ['a', 'b'], at: disk.at, limits: LIMITS });
  const ballast = join(home.home, 'hub.db-ballast');
  const bad = [];
  const expect = (holds, sentence) => holds || bad.push(sentence);
  try {
    rookery(home, 'prune');
    expect(existsSync(ballast), 'prune laid no ballast on a disk with room');
    let filler = 0;
    await exchange(home, limitMs, () => {
      if (filler === 0 && count(home, 'ok') >= sends) filler = fill(disk.at);
      return count(home, 'fail') >= REFUSALS;
    });
    await pause(1_100);

    renameSync(ballast, join(disk.at, 'aside'));
    const control = rookery(home, 'prune');
    expect(control.error?.code === 'storage_full', `without its ballast prune was not refused as it must be: ${JSON.stringify(control)}`);
    renameSync(join(disk.at, 'aside'), ballast);

    const pruned = rookery(home, 'prune');
    expect(pruned.rows?.messages > 0, `prune made no room: ${JSON.stringify(pruned)}`);
    expect(existsSync(ballast), 'the ballast was not laid again');
    const before = count(home, 'ok');
    await exchange(home, limitMs, () => count(home, 'ok') >= before + more);
    const { problems = ['verify said nothing'] } = rookery(home, 'verify');
    const note = `the last ${Math.round(filler / MIB)} MiB filled up, ${pruned.rows?.messages} messages pruned; refused without the ballast`;
    return { checked: count(home, 'ok'), bad: [...bad, ...problems], note };
  } finally {
    home.done();
    disk.done();
  }
}

/** Has two agents write to each other, and acknowledge what they read, until it is enough; then they are killed. */
async function exchange(home, limitMs, isEnough) {
  const senders = ['a', 'b'].map((name) => startSender(home, { name, to: name === 'a' ? 'b' : 'a', padding: 4_000 }));
  const deadline = performance.now() + limitMs;
  try {
    while (!isEnough()) {
      for (const { child, ended } of senders) if (child.exitCode !== null) throw new Error(`a sender ended: ${(await ended).said}`);
      if (performance.now() > deadline) throw new Error(`not reached in ${limitMs} ms`);
      await pause(100);
    }
  } finally {
    for (const { child } of senders) child.kill('SIGKILL');
    await Promise.all(senders.map(({ ended }) => ended));
  }
}

/** Sends that were acknowledged (ok), or refused (fail). */
function count({ histories }, phase) {
  return ['a', 'b'].flatMap((name) => readOwn(histories, name)).filter((line) => line.op === 'send' && line.phase === phase).length;
}

/** Takes every byte that is left. Answers how many. */
function fill(folder) {
  const file = openSync(join(folder, 'filler'), 'w');
  let bytes = 0;
  try {
    for (const size of [65_536, 512]) bytes += fillBy(file, Buffer.alloc(size, 1));
  } finally {
    closeSync(file);
  }
  return bytes;
}

function fillBy(file, part) {
  let bytes = 0;
  try {
    for (;;) bytes += writeSync(file, part);
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
    return bytes;
  }
}

/** What a command answers, as an operator runs it. */
function rookery({ home }, command) {
  const run = spawnSync(process.execPath, [join(PACKAGE, 'dist', 'main.js'), command, '--json'], {
    env: { ...process.env, ROOKERY_HOME: home },
    cwd: home,
    encoding: 'utf8',
  });
  return JSON.parse(run.stdout || run.stderr.split('\n').findLast((line) => line.startsWith('{')) || '{}');
}
