// How the proofs reach the program under test: the built package in this folder's parent, or a patched copy of it (mutants.mjs).
// Everything runs in throw-away homes on a real disk, with the send limits raised so that load is possible at all.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const PACKAGE = process.env.PROVE_PACKAGE ?? fileURLToPath(new URL('..', import.meta.url));
/** The project of every proof, derived as `--project proof` derives it, so that all doors meet in it. */
export const PROJECT = (await load('project-root.js')).namedPlace('proof', tmpdir()).project;
export const LIMITS = {
  sendPerSecond: 100_000,
  sendBurst: 100_000,
  sendPerMinute: 10_000_000,
  inboxWarn: 5_000,
  inboxFull: 50_000,
  deliveryAttempts: 32,
  waiters: 1_000,
};

/**
 * A fresh private folder; `done` removes it. In memory where nothing is proved about the disk: the kernel keeps what a process that is killed has
 * written, wherever the file is. `databaseUrl`: its hub is on that PostgreSQL, for whoever opens it in this folder.
 */
export function scratch({ inMemory = false, databaseUrl } = {}) {
  const folder = freshFolder(inMemory);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ limits: LIMITS, databaseUrl }), { mode: 0o600 });
  return { folder, done: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}

/** An empty folder of our own. */
export function freshFolder(inMemory) {
  return mkdtempSync(join(inMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rookery-prove-'));
}

/** A module of the package, as it was before bundling. */
export function load(path, root = PACKAGE) {
  return import(pathToFileURL(join(root, 'build', path)).href);
}

/** The program: what is shipped, or the modules of a patched copy, which has no bundle. */
export function program(root = PACKAGE) {
  const shipped = join(root, 'dist', 'main.js');
  return existsSync(shipped) ? shipped : join(root, 'build', 'main.js');
}

/** Opens the hub of a home in this process, as every server does. `observer`: is told how its engine does. */
export async function openHub(home, { root = PACKAGE, limits = LIMITS, clock, observer } = {}) {
  const [{ createHub }, { effectiveLimits }, { systemClock }, { systemHost }, { systemIds }, { systemFiles }] = await Promise.all([
    load('hub/hub.js', root),
    load('hub/limits.js', root),
    load('system/clock.js', root),
    load('system/host.js', root),
    load('system/ids.js', root),
    load('system/project-files.js', root),
  ]);
  const time = clock ?? systemClock;
  const db = await openDatabase(home, root, time, observer);
  // By a clock of its own every session would have begun before this process or after it: a successor with its pid, or not.
  const host = clock === undefined ? systemHost : { ...systemHost, startedAt: 0 };
  return await createHub({ db, clock: time, ids: systemIds(time), limits: effectiveLimits(limits), host, files: systemFiles });
}

/** Its database alone, migrated where that is due. */
export async function openDatabase(home, root, clock, observer) {
  const config = join(home, 'config.json');
  const { databaseUrl: url } = existsSync(config) ? JSON.parse(readFileSync(config, 'utf8')) : {};
  if (url !== undefined) return await (await load('store/postgres-open.js', root)).openPostgres({ url, clock, observer });
  const { openSqlite } = await load('store/sqlite.js', root);
  return await openSqlite({ path: join(home, 'hub.db'), bellDir: join(home, 'run'), clock, observer });
}

/** What a client of these proofs attaches as. */
export function attachment(name, more = {}) {
  return { project: PROJECT, door: 'stdio', client: { name: 'proof', version: '1' }, root: PROJECT.root, name, takeover: true, ...more };
}

/** Small reproducible chance (mulberry32): one seed, one run. */
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
}

/** How a child ended, once everything that it said was heard: its exit may be told before its last words. */
export function whenEnded(child) {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}

/** Waits in real time: these are processes, not a simulation. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
