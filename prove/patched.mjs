// Mutants as they are made: a copy of the built package in which a rule is broken on purpose, or a copy of a finished home whose database was
// damaged. What the proofs must turn red on.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { PACKAGE } from './hub.mjs';

/** A copy whose `file` below build/ has each first text of `edits` replaced by its second. Throws when one is not there. `done` removes it. */
export function patchedCopy(file, edits) {
  const root = mkdtempSync(join(tmpdir(), 'rookery-mutant-'));
  for (const part of ['build', 'package.json', 'src/store/migrations']) cpSync(join(PACKAGE, part), join(root, part), { recursive: true });
  symlinkSync(join(PACKAGE, 'node_modules'), join(root, 'node_modules'));
  for (const [from, to] of edits) replaceIn(join(root, 'build', file), from, to);
  execFileSync(process.execPath, ['--check', join(root, 'build', file)]); // what does not even parse would be killed by anything
  return { root, done: () => rmSync(root, { recursive: true, force: true }) };
}

/** Replaces every occurrence; throws when there is none. */
export function replaceIn(path, from, to) {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no "${from}": the mutant needs a new place to bite`);
  writeFileSync(path, text.replaceAll(from, to));
}

/** Has `prove(root)` try such a copy; answers what it answers. */
export async function withPatched(file, edits, prove) {
  const { root, done } = patchedCopy(file, edits);
  try {
    return await prove(root);
  } finally {
    done();
  }
}

/** Has `look(home)` judge a copy of a finished home to whose database this was done. */
export async function withTampered(home, tampering, look) {
  const copy = mkdtempSync(join(tmpdir(), 'rookery-mutant-'));
  cpSync(home, copy, { recursive: true });
  mkdirSync(join(copy, 'run'), { recursive: true, mode: 0o700 });
  const path = join(copy, 'hub.db');
  const db = new Database(path);
  tampering(db, path);
  db.close();
  try {
    return await look(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
