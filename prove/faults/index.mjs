// The fault laboratory: every fault, what it needs of the machine, and how much of it each tier runs. `push` is what CI runs and takes a minute or
// two, `merge` some minutes, `nightly` as long as it likes. A proof answers { checked, bad: [sentence], note }.

import { proveBallast } from './ballast.mjs';
import { proveBackups, proveMigrations } from './care.mjs';
import { proveClockJumps } from './clock-jumps.mjs';
import { proveBitFlips, proveLostLog, proveRemovedFile } from './files.mjs';
import { proveFullDisk } from './full-disk.mjs';
import { proveMalformedArguments, proveMalformedLines, proveMalformedRequests } from './malformed.mjs';
import { proveNoOrphans } from './orphans.mjs';
import { controlPowerCuts, provePowerCuts } from './power-cut.mjs';
import { proveFlood, proveScarcity, proveSlowReaders, proveStoppedWriter } from './pressure.mjs';
import { proveEqualIds, proveLostAnswers, proveSameAtOnce } from './replies.mjs';
import { proveFailingCalls, proveSyscallKills } from './syscalls.mjs';

const POWER = ['linux', 'root', 'loop'];
const TRACE = ['linux', 'strace'];

/** They measure time, or take memory from everybody. */
const ALONE = ['stopped-writer', 'slow-readers', 'flood', 'scarcity'];

/** They take minutes in the larger tiers: begun last, they would keep everybody waiting. */
const LONG = ['migration', 'syscall-kill', 'power-cut', 'orphans'];

/** name, title, needs, the proof, and its size per tier (none: not in that tier). */
export const FAULTS = [
  fault('power-cut', 'power cuts on ext4: what was acknowledged is there', POWER, provePowerCuts, {
    push: { cuts: 5 },
    merge: { cuts: 40 },
    nightly: { cuts: 500 },
  }),
  fault('power-cut-control', 'control: with synchronous=NORMAL the same loop must lose', POWER, controlPowerCuts, {
    push: { cuts: 5 },
    merge: { cuts: 10 },
    nightly: { cuts: 20 },
  }),
  fault('syscall-kill', 'killed at the n-th write, sync, truncation, removal', TRACE, proveSyscallKills, {
    push: { points: 24 },
    merge: { points: 90 },
    nightly: { points: 500 },
  }),
  fault('fsync-error', 'syncs that fail', TRACE, failing('fdatasync,fsync', 'EIO', 20), {
    push: { count: 150 },
    merge: { count: 1_000 },
    nightly: { count: 10_000 },
  }),
  fault('write-error', 'writes that fail', TRACE, failing('pwrite64', 'EIO', 66), {
    push: { count: 150 },
    merge: { count: 1_000 },
    nightly: { count: 10_000 },
  }),
  fault('no-space', 'writes that find no space', TRACE, failing('pwrite64', 'ENOSPC', 66), {
    push: { count: 150 },
    merge: { count: 1_000 },
    nightly: { count: 10_000 },
  }),
  fault('full-disk', 'a disk that fills up, and is given room', ['linux', 'root'], proveFullDisk, {
    push: {},
    merge: { refusals: 1_000 },
    nightly: { refusals: 3_000 },
  }),
  fault('ballast', 'a disk without a byte left: prune makes room by what was kept for it', ['linux', 'root'], proveBallast, everywhere({})),
  fault('removed', 'the database file removed while in use', [], () => proveRemovedFile({ replaced: false }), everywhere({})),
  fault('replaced', 'the database file replaced while in use', [], () => proveRemovedFile({ replaced: true }), everywhere({})),
  fault('lost-log', 'the write-ahead log lost or cut after kill -9', [], proveLostLog, everywhere({})),
  fault('bit-rot', 'bits that flip: verify names them', [], proveBitFlips, {
    push: { flips: 20 },
    merge: { flips: 200 },
    nightly: { flips: 2_000 },
  }),
  fault('stopped-writer', 'a process stopped while it holds the write lock', [], proveStoppedWriter, { merge: {}, nightly: {} }),
  fault('clock-jumps', 'clocks that jump under running processes', ['linux', 'faketime'], proveClockJumps, everywhere({})),
  fault('lost-answers', 'answers lost after the commit, repeated under the same key', [], proveLostAnswers, {
    push: { sends: 40 },
    merge: { sends: 400 },
    nightly: { sends: 4_000 },
  }),
  fault('same-at-once', 'the same request 16 times at once', [], proveSameAtOnce, {
    push: { rounds: 10 },
    merge: { rounds: 100 },
    nightly: { rounds: 1_000 },
  }),
  fault('equal-ids', '64 clients whose requests carry equal ids', [], proveEqualIds, everywhere({ clients: 64 })),
  fault('orphans', 'servers whose client is gone', [], proveNoOrphans, {
    push: { cycles: 6 },
    merge: { cycles: 100 },
    nightly: { cycles: 300 },
  }),
  fault('backup', 'backups under load, restored', [], proveBackups, {
    push: { backups: 1 },
    merge: { backups: 5 },
    nightly: { backups: 30 },
  }),
  fault('migration', 'migrations killed at their statements and writes, from every older schema', [], proveMigrations, {
    push: { every: 12, others: 60, writes: 20 },
    merge: {},
    nightly: { every: 1, others: 1, writes: 1 },
  }),
  fault('slow-readers', 'readers of the event stream that never read', ['linux', 'python3'], proveSlowReaders, {
    push: { events: 800 },
    merge: { events: 5_000 },
    nightly: { events: 50_000 },
  }),
  fault('flood', 'one agent floods, another is calm', [], proveFlood, {
    push: { calls: 200 },
    merge: { calls: 400 },
    nightly: { calls: 4_000 },
  }),
  fault('scarcity', 'few file descriptors, little memory', [], proveScarcity, { push: {}, merge: {}, nightly: {} }),
  fault('malformed-lines', 'malformed lines over stdio', [], proveMalformedLines, everywhere({})),
  fault('malformed-requests', 'malformed requests over HTTP', [], proveMalformedRequests, everywhere({})),
  fault('malformed-arguments', 'malformed arguments for every tool', [], proveMalformedArguments, {
    push: { rounds: 25 },
    merge: { rounds: 300 },
    nightly: { rounds: 5_000 },
  }),
];

function fault(name, title, needs, prove, sizes) {
  return { name, title, needs, prove, sizes, alone: ALONE.includes(name), long: LONG.includes(name) };
}

function failing(calls, error, every) {
  return ({ count }) => proveFailingCalls({ calls, error, every, count });
}

function everywhere(size) {
  return { push: size, merge: size, nightly: size };
}
