// What the programs of the laboratories are told on their command lines. Their usage is the comment that they begin with, so that it is written
// once; a flag that they do not know, or a figure that is none, is refused before anything runs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** `switches` are true or false, `words` texts; `figures` are numbers of at least 0, with the value that each has by itself, if any. */
export function readFlags(program, { switches = [], words = [], figures = {} }) {
  const usage = usageOf(program);
  const options = Object.fromEntries([
    ['help', { type: 'boolean', short: 'h' }],
    ...switches.map((name) => [name, { type: 'boolean', default: false }]),
    ...[...words, ...Object.keys(figures)].map((name) => [name, { type: 'string' }]),
  ]);
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    for (const [name, usual] of Object.entries(figures)) values[name] = figure(name, values[name] ?? usual);
    return values;
  } catch (error) {
    refuse(error.message, usage);
  }
}

/** Refuses names that are not there: a run that leaves everything out would end well. */
export function assertKnown(flag, asked, known) {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(`--${flag}: there is no ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
}

/** The names of a list with commas; undefined where none was given. */
export function namesOf(list) {
  return list?.split(',').map((name) => name.trim());
}

function figure(name, value) {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isFinite(number) && number >= 0 && String(value).trim() !== '') return number;
  throw new Error(`--${name} takes a number of at least 0, not '${value}'.`);
}

/** Ends the program with the sentence, and the usage where that helps. */
export function refuse(sentence, usage) {
  process.stderr.write(`${[sentence, usage].filter(Boolean).join('\n\n')}\n`);
  process.exit(2);
}

function usageOf(program) {
  const lines = readFileSync(fileURLToPath(program), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.slice(3))
    .join('\n');
}
