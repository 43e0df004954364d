// The scorecard: what a run checked, written into docs/scorecard.md and, in one line, into the README. A section for each kind of run, each with the command, the commit and
// the machine in general words, so that anybody can repeat it. Only whole and green runs write: `--scorecard`.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const CARD = fileURLToPath(new URL('../docs/scorecard.md', import.meta.url));
const README = fileURLToPath(new URL('../README.md', import.meta.url));
const EMPTY = `# Scorecard

What the proofs checked when they were last run whole. Each section is written by its run (\`--scorecard\`), never by hand.

<!-- proofs:begin -->
<!-- proofs:end -->

<!-- mutants:begin -->
<!-- mutants:end -->
`;

/** `rows`: { id, title, checked, note }; `seconds`: how long it took. */
export function writeProofs({ rows, skipped, seconds, command }) {
  const checked = rows.reduce((sum, row) => sum + row.checked, 0);
  const table = [
    '| | checked | what | |',
    '| --- | ---: | --- | --- |',
    ...rows.map((row) => `| ${row.id} | ${inWords(row.checked)} | ${cell(row.title)} | ${cell(row.note ?? '')} |`),
  ];
  const left = skipped.length === 0 ? '' : ` Skipped there: ${skipped.join('; ')}.`;
  const text = `## Proofs and faults\n\n${inWords(checked)} checks in ${rows.length} proofs, no violation, in ${minutes(seconds)}: ${source(command)}.${left}\n\n${table.join('\n')}`;
  write('proofs', text, `**${inWords(checked)} checks in ${rows.length} proofs, no violation** (\`${command}\`, ${minutes(seconds)})`);
}

/** `lines`: { group, name, promise, red }. */
export function writeMutants({ lines, seconds, command }) {
  const promises = [...new Set(lines.map(({ promise }) => promise))].sort(byNumber);
  const rows = promises.map((promise) => {
    const those = lines.filter((line) => line.promise === promise);
    return `| ${promise} | ${those.length} | ${cell(those.map(({ name }) => name).join('; '))} |`;
  });
  const text = `## Mutants\n\nRules broken on purpose, and the proofs that turned red: ${lines.length} of ${lines.length} killed in ${minutes(seconds)}: ${source(command)}.\n\n${['| promise | mutants | what was broken |', '| --- | ---: | --- |', ...rows].join('\n')}`;
  write('mutants', text, `**${lines.length} of ${lines.length} mutants killed**, some for each of I1 to I14 (\`${command}\`)`);
}

function write(part, text, line) {
  replace(CARD, existsSync(CARD) ? readFileSync(CARD, 'utf8') : EMPTY, part, `\n${text}\n`);
  replace(README, readFileSync(README, 'utf8'), part, line);
}

/** Puts words between the marks of a part. */
function replace(path, text, part, words) {
  const [before, after] = [`<!-- ${part}:begin -->`, `<!-- ${part}:end -->`];
  if (!text.includes(before) || !text.includes(after)) throw new Error(`${path} has no marks for ${part}`);
  const to = text.slice(0, text.indexOf(before) + before.length) + words + text.slice(text.indexOf(after));
  writeFileSync(path, to);
}

function source(command) {
  const [cpu] = cpus();
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  }).trim();
  const machine = `${cpus().length} cores (${cpu?.model.trim() || 'unknown'}), ${type()} ${release().split('.').slice(0, 2).join('.')}, Node ${process.versions.node}`;
  return `\`${command}\`, commit ${commit}, ${machine}`;
}

const inWords = (n) => n.toLocaleString('en-GB');
const minutes = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`);
const cell = (text) => text.replaceAll('|', '/').replaceAll('\n', ' ');
const byNumber = (a, b) => a[0].localeCompare(b[0]) || Number(a.slice(1)) - Number(b.slice(1)) || a.localeCompare(b);
