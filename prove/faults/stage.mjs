// The stage of the fault proofs: a hub's home somewhere, senders on it under some torment, and the judgement afterwards, by the checks of
// check.mjs that hold whatever the disk does. Also what this machine offers: root, strace, loop devices, libfaketime.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKS, check } from '../check.mjs';
import { gather } from '../evidence.mjs';
import { attachment, freshFolder, LIMITS, openHub, PACKAGE, whenEnded } from '../hub.mjs';

const SENDER = fileURLToPath(new URL('sender.mjs', import.meta.url));
/** What no fault of a disk or process excuses. */
const KEPT = ['I1', 'I2', 'I3', 'I5', 'I6', 'I8', 'I12', 'I13'];

/** A folder for the history, and one for the home unless a mounted one is given: what needs a disk brings its own. `done` removes both. */
export async function stage({ names, at, limits = {} }) {
  const folder = freshFolder(true);
  const home = at === undefined ? join(folder, 'home') : join(at, 'home');
  const histories = join(folder, 'history');
  for (const one of [home, histories]) mkdirSync(one, { mode: 0o700 });
  writeFileSync(join(home, 'config.json'), JSON.stringify({ limits: { ...LIMITS, ...limits } }), { mode: 0o600 });
  for (const one of [join(home, 'config.json'), home, ...(at === undefined ? [] : [at])]) synced(one);
  const hub = await openHub(home);
  for (const name of names) await hub.sessions.end(await hub.sessions.attach(attachment(name)), 'closed');
  await hub.close();
  return { home, histories, done: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}

/** What a power cut is not to take: it is no work of the hub. */
function synced(path) {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** Starts a sender; `under` is a command that it runs under, such as strace with its arguments. */
export function startSender({ home, histories }, { name, to, count, padding, under = [], env = {}, root = PACKAGE }) {
  const plan = JSON.stringify({
    home,
    folder: histories,
    name,
    to,
    ...(count === undefined ? {} : { count }),
    ...(padding === undefined ? {} : { padding }),
  });
  const [program, ...args] = [...under, process.execPath, SENDER, plan];
  const child = spawn(program, args, {
    env: { ...process.env, PROVE_PACKAGE: root, ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...(under.length === 0 ? ['ipc'] : [])],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  const ended = whenEnded(child).then(({ code, signal }) => ({ code, signal, said: said.trim() }));
  return { child, ended };
}

/** The checks that hold whatever happened, on the home as it is now. Also how much was acknowledged and how much refused, by code. */
export async function judge({ home, histories }) {
  const evidence = await gather(home, histories);
  const results = check(
    evidence,
    CHECKS.filter(([id]) => KEPT.includes(id)),
  );
  const bad = results.flatMap(({ id, bad: sentences }) => sentences.slice(0, 5).map((sentence) => `${id}: ${sentence}`));
  const sends = evidence.history.filter(({ op }) => op === 'send');
  const refused = new Map();
  for (const { phase, code } of sends) if (phase === 'fail') refused.set(code, (refused.get(code) ?? 0) + 1);
  for (const { phase, op, key, code, message, error } of evidence.history)
    if (phase === 'info' && code !== 'unavailable') bad.push(`${op} ${key ?? ''}: a defect: ${message ?? error}`);
  return { bad, acked: sends.filter(({ phase }) => phase === 'ok').length, refused, evidence };
}

/** Says why a proof cannot run here; undefined when it can. */
export function missing(needs) {
  const found = {
    linux: () => process.platform === 'linux',
    root: () => process.getuid?.() === 0,
    strace: () => runs('strace', '-V'),
    loop: () => existsSync('/dev/loop-control') && runs('mkfs.ext4', '-V') && runs('python3', '-V'),
    python3: () => runs('python3', '-V'),
    faketime: () => faketime() !== undefined,
  };
  const lacking = needs.filter((need) => !found[need]());
  return lacking.length === 0 ? undefined : `needs ${lacking.join(', ')}`;
}

/** Where Debian and Ubuntu put libfaketime (package faketime). */
export function faketime() {
  for (const folder of ['/usr/lib', ...subfolders('/usr/lib')]) {
    const path = join(folder, 'faketime', 'libfaketimeMT.so.1');
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** The figures of a map of codes, for a line. */
export function tally(counts) {
  return [...counts].map(([code, n]) => `${n} ${code}`).join(', ') || 'none';
}

function subfolders(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.includes('linux'))
    .map((entry) => join(folder, entry.name));
}

function runs(program, ...args) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
