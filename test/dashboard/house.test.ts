// The rules of the house for the dashboard: what it shows is data, it knows no rule of the hub, and nothing in it can be made to run.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'dashboard', 'src');

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

function offences(rule: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (rule.test(line) ? [`dashboard/src/${path}:${i + 1}: ${line.trim().slice(0, 100)}`] : [])),
  );
}

it('makes no markup, script or address out of text', () => {
  const why = 'Words of agents are data: they become text nodes and nothing else (T14).';
  const rule =
    /innerHTML|outerHTML|insertAdjacent|dangerously|document\.write|createContextualFragment|DOMParser|\beval\b|new Function|srcdoc|setAttribute/;
  expect([why, offences(rule)]).toEqual([why, []]);
  const links = 'An address is made by hrefOf, which stays inside the page; agents must not write one.';
  expect([links, offences(/\bhref=\{(?!hrefOf\()|\bsrc=\{|window\.open|location\.(href|assign)/)]).toEqual([links, []]);
});

it('knows of the hub only types, and how long a view stays true', () => {
  const wrong = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^import\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'/gm)].flatMap(([, typeOnly, from = '']) => {
      const to = relative(ROOT, join(SRC, dirname(path), from));
      return to.startsWith('dashboard/') || to === 'src/views/freshness.ts' || (typeOnly !== undefined && to.startsWith('src/'))
        ? []
        : [`${path} imports ${to}`];
    }),
  );
  expect(wrong).toEqual([]);
});

it('is made of short files that say what they are for', () => {
  for (const { path, text } of sources) {
    expect([path, text.startsWith('// ')]).toEqual([path, true]);
    expect([path, text.split('\n').length <= 301]).toEqual([path, true]);
    expect(path).toMatch(/^([a-z0-9-]+\/)*[a-z0-9-]+\.tsx?$/);
    expect(path).not.toMatch(/(^|[/-])(utils?|helpers?|common|misc|handlers?|info|data)(-|\.tsx?$)/);
    expect([path, /\b(TODO|FIXME|XXX|HACK)\b|:\s*any\b|\bas any\b|console\./.test(text)]).toEqual([path, false]);
  }
});

it('asks nobody but its own hub', () => {
  expect(offences(/https?:\/\//)).toEqual([]);
  for (const file of readdirSync(join(SRC, 'style'))) expect(readFileSync(join(SRC, 'style', file), 'utf8')).not.toMatch(/https?:|@import/);
});
