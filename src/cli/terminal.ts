// Where a command writes: lines and JSON to standard output, colour only where a terminal wants it (NO_COLOR, no TTY: none), a progress bar
// on standard error.

import { styleText } from 'node:util';
import { safeJson } from './print-safe.ts';
import { writeOut } from './write-out.ts';

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

export type Terminal = {
  line(text?: string): void;
  json(value: unknown): void;
  paint(style: Style, text: string): string;
};

export function openTerminal({ noColor }: { noColor: boolean }): Terminal {
  const colour = !noColor && process.stdout.isTTY === true;
  return {
    line: (text = '') => writeOut(`${text}\n`),
    json: (value) => writeOut(`${safeJson(value)}\n`),
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** Lines of at most so many characters, broken at blanks. */
export function folded(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

export type Progress = { add(done: number): void; end(): void };

/** A bar for work of `total` steps; silent where standard error is no terminal. */
export function progressBar(label: string, total: number): Progress {
  if (process.stderr.isTTY !== true) return { add: () => {}, end: () => {} };
  process.stderr.write(`\r${label} …`);
  let done = 0;
  let shown = -1;
  return {
    add(steps) {
      done += steps;
      const percent = Math.min(100, Math.floor((done * 100) / Math.max(total, 1)));
      if (percent === shown) return;
      shown = percent;
      process.stderr.write(`\r${label} [${'#'.repeat(percent / 4).padEnd(25)}] ${percent} %`);
    },
    end: () => void process.stderr.write(`\r${' '.repeat(label.length + 36)}\r`),
  };
}

/** The same for work whose end is not known beforehand: how much of it is done. */
export function counter(label: string, of: string): Progress {
  if (process.stderr.isTTY !== true) return { add: () => {}, end: () => {} };
  let done = 0;
  let width = 0;
  return {
    add(steps) {
      done += steps;
      const text = `${label} … ${done.toLocaleString('en')} ${of}`;
      width = Math.max(width, text.length);
      process.stderr.write(`\r${text}`);
    },
    end: () => void process.stderr.write(`\r${' '.repeat(width)}\r`),
  };
}
