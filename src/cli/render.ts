// A tool's result for people: fields one per line, lists of things as tables, messages with their words under a marked header.
// It knows no tool by name, so that a new tool is readable without a line here. Everything passes through print-safe.

import { printSafeBlock, printSafeLine } from './print-safe.ts';
import { table } from './table.ts';

/** For agents, or said by the command itself. */
const UNSAID = new Set(['note', 'hint', 'inbox']);

export function renderResult(result: Record<string, unknown>): string[] {
  const fields = Object.entries(result).filter(([name]) => !UNSAID.has(name));
  const short = fields.filter(([, value]) => !isThings(value) && !isLong(value));
  const width = Math.max(0, ...short.map(([name]) => name.length));
  return [
    ...short.map(([name, value]) => `${name.padEnd(width)}  ${printSafeLine(toWords(value))}`),
    ...fields.filter(([, value]) => isLong(value)).flatMap(([name, value]) => ['', `${name}:`, printSafeBlock(String(value))]),
    ...fields.flatMap(([name, value]) => (isThings(value) ? ['', `${name}:`, ...renderThings(value)] : [])),
  ];
}

/** A list of records: with words of their own each as a block, else as a table of the columns that any of them has. */
export function renderThings(things: readonly Record<string, unknown>[]): string[] {
  if (things.length === 0) return ['  none'];
  if (things.some((thing) => typeof thing.body === 'string')) return things.flatMap(renderMessage);
  const columns = [...new Set(things.flatMap((thing) => Object.keys(thing)))];
  return table(
    columns,
    things.map((thing) => columns.map((column) => toWords(thing[column]))),
  );
}

function renderMessage(message: Record<string, unknown>): string[] {
  const { body, ...header } = message;
  const words = Object.entries(header).map(([name, value]) => `${name}=${toWords(value)}`);
  return [printSafeLine(words.join(' ')), printSafeBlock(String(body ?? '')), ''];
}

function isThings(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item !== null && typeof item === 'object');
}

function isLong(value: unknown): boolean {
  return typeof value === 'string' && (value.includes('\n') || value.length > 160);
}

function toWords(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(toWords).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${name}=${toWords(inner)}`)
      .join(' ');
  return String(value);
}
