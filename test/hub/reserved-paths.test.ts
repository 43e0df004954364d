// Which reservations mean the same file: as a table, and as a property against the glob matcher itself.

import * as fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, it } from 'vitest';
import { HubError } from '../../src/hub/errors.ts';
import { toLockName } from '../../src/hub/reserved-names.ts';
import { covers, overlap, toFile, toReservable } from '../../src/hub/reserved-paths.ts';

const ROOTS = ['/work/trees/demo', '/work/demo'];
const folded = (given: string) => toReservable(given, ROOTS).folded;

it.each([
  ['src/app.ts', 'src/app.ts'],
  ['./src//app.ts', 'src/app.ts'],
  ['src/hub/', 'src/hub/'],
  ['src//hub//', 'src/hub/'],
  ['src/x/../app.ts', 'src/app.ts'],
  ['/work/demo/src/app.ts', 'src/app.ts'],
  ['/work/trees/demo/src/**/*.ts', 'src/**/*.ts'],
  [' docs/a b.md ', 'docs/a b.md'],
  ['app/[id]/(group)/page.tsx', 'app/[id]/(group)/page.tsx'],
  ['.github', '.github'],
])('takes %j for %s', (given, text) => {
  expect(toReservable(given, ROOTS).text).toBe(text);
});

it.each([
  '',
  ' ',
  '.',
  './',
  '..',
  '../x',
  'src/../..',
  '/',
  '/work',
  '/work/demo',
  '/etc/passwd',
  '/work/demo-2/x',
  '*',
  '**',
  '**/*',
  '*/**',
  '**/**/*.*',
  '{*,**}',
  '**/{*,x}',
  '{src,**}',
  '?',
  'src/**/../x',
  'a\0b',
  'a\nb',
  'x'.repeat(401),
  'a*b*c*d*e',
  '{a,b}{c,d}{e,f}{g,h}{i,j}',
])('refuses the path %j', (given) => {
  expect(() => toReservable(given, ROOTS)).toThrow(HubError);
});

it.each(['', ' ', '*', '..', '.', '-', 'branch:*', 'a\nb', 'x'.repeat(201)])('refuses the name %j', (given) => {
  expect(() => toLockName(given)).toThrow(HubError);
});

it.each([
  ['src/app.ts', 'src/app.ts', true],
  ['src/App.ts', 'SRC/app.ts', true],
  ['src/caf\u00e9.ts', 'src/cafe\u0301.ts', true],
  ['src/app.ts', 'src/app.tsx', false],
  ['src', 'src/hub/a.ts', true],
  ['src/hub/a.ts', 'src', true],
  ['src/hub', 'src/hubs/a.ts', false],
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/hub/a.ts', false],
  ['src/*.ts', 'src', true],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/a/b/c.ts', true],
  ['src/**/*.ts', 'src/a/b/c.md', false],
  ['src/**', 'src', true],
  ['src/**', 'lib/a', false],
  ['src/**/*.test.ts', 'src/**/*.md', false],
  ['src/**/*.ts', 'src/hub/*.ts', true],
  ['src/a*', 'src/b*', false],
  ['src/a*c', 'src/*bc', true],
  ['**/package.json', 'web/package.json', true],
  ['**/package.json', 'docs/**', true],
  ['docs/{a,b}.md', 'docs/b.md', true],
  ['docs/{a,b}.md', 'docs/c.md', false],
  ['{src,test}/hub/*', 'test/hub/x.ts', true],
  ['src/?.ts', 'src/a.ts', true],
  ['src/?.ts', 'src/ab.ts', false],
  ['app/[id]/page.tsx', 'app/i/page.tsx', false],
  ['app/[id]/*.tsx', 'app/[id]/page.tsx', true],
  ['src/.env', 'src/*', true],
  ['src/*', 'src/hub/a.ts', false],
  ['src/*/', 'src/hub/a.ts', true],
  ['src/*/test', 'src/hub/test/a.ts', true],
  ['src/hub', 'src/**/*.ts', true],
  ['src/hub/', 'src/hub/a.ts', true],
  ['conf.d', 'conf.d/a', true],
  ['conf.d', '**/*.md', false],
  ['conf.d/', '**/*.md', true],
  ['src/app.md', 'src/**/*.ts', false],
])('%s and %s: %s', (a, b, expected) => {
  expect(overlap(folded(a), folded(b))).toBe(expected);
  expect(overlap(folded(b), folded(a))).toBe(expected);
});

it('knows a client’s file by its path from the root, whatever the folder it works in', () => {
  expect(toFile('/work/demo/Src/App.ts', '/work/demo', ROOTS)).toBe('src/app.ts');
  expect(toFile('app.ts', '/work/trees/demo/src', ROOTS)).toBe('src/app.ts');
  for (const outside of ['/etc/passwd', '/work/demo', '../../x']) expect(toFile(outside, '/work/demo', ROOTS)).toBeUndefined();
  expect(covers(folded('src/*.ts'), 'src/app.ts')).toBe(true);
  expect(covers(folded('src'), 'src/app.ts')).toBe(true);
  expect(covers(folded('src/app.ts'), 'src')).toBe(false);
});

const name = fc.stringMatching(/^[ab.]{1,3}$/).filter((text) => !/^\.+$/.test(text));
const piece = fc.oneof(name, fc.constantFrom('*', '**', '?', 'a*', '*b', 'a?', '*.b', 'a*b', '{a,b}'));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const glob = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => ['x', ...pieces].join('/'));
const fits = (pattern: string, file: string) => picomatch.isMatch(file, pattern, { dot: true });

it('never calls apart what the matcher finds together', () => {
  const below = path.map((text) => `x/${text}`);
  fc.assert(
    fc.property(glob, glob, below, (a, b, file) => {
      if (fits(a, file)) expect(covers(folded(a), file)).toBe(true);
      if (fits(a, file) && fits(b, file)) expect(overlap(folded(a), folded(b))).toBe(true);
      expect(overlap(folded(a), folded(b))).toBe(overlap(folded(b), folded(a)));
    }),
    { numRuns: 5_000 },
  );
});

it('says exactly what the matcher says of a path and a glob that ends in a wildcard', () => {
  const plain = fc.array(
    piece.filter((text) => text !== '**'),
    { minLength: 0, maxLength: 3 },
  );
  const ending = fc.constantFrom('*', 'a*', '*b', '?', '*.b', 'a*b');
  fc.assert(
    fc.property(plain, ending, path, (pieces, end, text) => {
      const pattern = ['x', ...pieces, end].join('/');
      expect(covers(folded(pattern), `x/${text}`)).toBe(fits(pattern, `x/${text}`));
    }),
    { numRuns: 5_000 },
  );
});
