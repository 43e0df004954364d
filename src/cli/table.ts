// Tables for people, as wide as their terminal. Free text is cut with an ellipsis; what is copied or counted (ids, names, times, numbers, states)
// never is: where that alone is too wide, each row is shown as a paragraph of its fields. Where no terminal reads, nothing is cut: scripts see all.

import stringWidth from 'string-width';
import { printSafeLine } from './print-safe.ts';

/** The widest a cell is shown on a terminal, but for the last of its row. */
const CELL_COLUMNS = 60;
/** What is left of free text at the least: less would say nothing. */
const LEAST_COLUMNS = 16;
/** What is never cut: one word of plain characters, no longer than the longest name, id or time. */
const WORD = /^[\x21-\x7e]{0,48}$/;
const GAP = '  ';
/** Cells that say that there is nothing. */
const NOTHING = ['', '-'];

type Row = readonly string[];

/** The columns of the terminal that reads standard output; no end of them where none does. */
export function terminalColumns({ isTTY, columns }: { isTTY?: boolean; columns?: number } = process.stdout): number {
  return isTTY === true && columns !== undefined && columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

/** A table of plain cells: made safe here, aligned by what a terminal shows of them. Without the width of a terminal nothing is cut. */
export function table(headers: Row, rows: readonly Row[], columns = terminalColumns()): string[] {
  const safe = [headers, ...rows].map((row) => row.map(printSafeLine));
  if (columns === Number.POSITIVE_INFINITY) return aligned(safe, widthsOf(safe));
  if (breadth(widthsOf(safe)) <= columns) return aligned(safe, capped(safe));
  const saying = withoutEmpty(safe);
  const widths = fitted(saying, columns);
  return widths === undefined ? paragraphs(safe, columns) : aligned(saying, widths);
}

/** Without the columns that say nothing in any row. */
function withoutEmpty([headers = [], ...rows]: readonly Row[]): Row[] {
  const says = headers.map((_header, column) => rows.some((row) => !NOTHING.includes(row[column] ?? '')));
  return [headers, ...rows].map((row) => row.filter((_cell, column) => says[column]));
}

function aligned(cells: readonly Row[], widths: readonly number[]): string[] {
  return cells.map((row) =>
    row
      .map((cell, column) => cut(cell, widths[column] ?? 0))
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell)))
      .join(GAP)
      .trimEnd(),
  );
}

function widthsOf(cells: readonly Row[]): number[] {
  return (cells[0] ?? []).map((_header, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
}

function capped(cells: readonly Row[]): number[] {
  return widthsOf(cells).map((width, column, { length }) => (column === length - 1 ? width : Math.min(width, CELL_COLUMNS)));
}

function breadth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

/** How wide each column is where all of them fit, the widest that may be cut being cut first; undefined where they cannot. */
function fitted(cells: readonly Row[], columns: number): number[] | undefined {
  const least = widthsOf(cells.map((row, index) => row.map((cell) => (index === 0 || WORD.test(cell) ? cell : ' '.repeat(LEAST_COLUMNS)))));
  const widths = capped(cells);
  let over = breadth(widths) - columns;
  while (over > 0) {
    const room = widths.map((width, column) => (width > (least[column] ?? 0) ? width : 0));
    const widest = Math.max(...room);
    if (widest === 0) return undefined;
    const column = room.indexOf(widest);
    widths[column] = widest - 1;
    over -= 1;
  }
  return widths;
}

/** Each row under its first cell: the fields that say something, with their names. */
function paragraphs([headers = [], ...rows]: readonly Row[], columns: number): string[] {
  return rows.flatMap(([first = '', ...cells]) => {
    const fields = cells.flatMap((cell, index) => (NOTHING.includes(cell) ? [] : [`${headers[index + 1] ?? ''}=${cell}`]));
    return [...filled(first === '' ? [] : [first], columns), ...filled(fields, columns - GAP.length).map((line) => GAP + line)];
  });
}

/** Fields in lines of so many columns; one that is longer than a line is broken at its blanks. */
function filled(fields: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  const add = (piece: string, gap: string) => {
    const last = lines.at(-1);
    if (last !== undefined && stringWidth(last) + gap.length + stringWidth(piece) <= columns) lines[lines.length - 1] = last + gap + piece;
    else lines.push(piece);
  };
  for (const field of fields) {
    if (stringWidth(field) <= columns) add(field, GAP);
    else for (const [index, word] of field.split(' ').entries()) add(word, index === 0 ? GAP : ' ');
  }
  return lines;
}

function cut(cell: string, columns: number): string {
  if (stringWidth(cell) <= columns) return cell;
  let text = '';
  for (const character of cell) {
    if (stringWidth(text + character) >= columns) break;
    text += character;
  }
  return `${text}…`;
}
