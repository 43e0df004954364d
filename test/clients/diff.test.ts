// The diff that a person is shown: what diff -u would print, without the secrets of others.

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unifiedDiff } from '../../src/clients/install/diff.ts';
import { scratch } from '../support/engines.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }).map((all) => all.map((line) => `${line}\n`).join(''));

it('turns the one text into the other, as patch reads it', () => {
  if (spawnSync('patch', ['--version']).error !== undefined) return;
  const folder = scratch();
  const [file, patch] = [join(folder, 'file'), join(folder, 'patch')];
  fc.assert(
    fc.property(lines, lines, fc.boolean(), (before, after, cut) => {
      const next = cut ? after.replace(/\n$/, '') : after;
      fc.pre(before !== next && before !== '' && next !== '');
      writeFileSync(file, before);
      writeFileSync(patch, `${unifiedDiff('file', before, next).join('\n')}\n`);
      execFileSync('patch', ['-s', '-p0', file, patch], { cwd: folder });
      expect(execFileSync('cat', [file], { encoding: 'utf8' })).toBe(next);
    }),
    { numRuns: 60 },
  );
});

it('is nothing for equal texts, and says where a file begins or ends to be', () => {
  expect(unifiedDiff('x', 'a\n', 'a\n')).toEqual([]);
  expect(unifiedDiff('x', undefined, 'a\n')).toEqual(['--- /dev/null', '+++ x', '@@ -0,0 +1,1 @@', '+a']);
  expect(unifiedDiff('x', 'a\n', undefined)).toEqual(['--- x', '+++ /dev/null', '@@ -1,1 +0,0 @@', '-a']);
});

it('shows what stands beside a change, but for its secrets', () => {
  const key = 'sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789';
  const before = `{\n  "env": { "API_TOKEN": "short", "X": "${key}" },\n  "password": 'p"w',\n  "cwd": "/home/me/some/long/folder/name"\n}\n`;
  const shown = unifiedDiff('x', before, before.replace('{\n', '{\n  "hub": 1,\n')).join('\n');
  expect(shown).not.toContain('short');
  expect(shown).not.toContain(key);
  expect(shown).not.toContain('p"w');
  expect(shown).toContain('/home/me/some/long/folder/name');
});
