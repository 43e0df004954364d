// Edits of a TOML text by whole tables: one is appended at the end, given other values in its place, or cut out with the tables below it.
// There is no TOML library that keeps comments, so the text is edited by lines and smol-toml judges: parsed before and after, the documents
// differ by the one table and nothing else, or the edit is refused.

import { isDeepStrictEqual } from 'node:util';
import { parse, stringify, type TomlTable } from 'smol-toml';
import { HubError } from '../../hub/errors.ts';
import { lineEndOf } from './text-file.ts';

/** A table by its name, two words deep, as clients name their servers: [mcp_servers.hub]. */
export type TableName = readonly [string, string];

type Values = Record<string, unknown>;

/** The document; throws `conflict` for what is no TOML. `name`: the file, for what is said of it. */
export function parsedToml(text: string, name: string): Values {
  try {
    // Integers too large for a number compare by their digits.
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    const line = error instanceof Error && 'line' in error ? ` (line ${String(error.line)})` : '';
    throw notEditable(name, `is not TOML${line}`);
  }
}

/** The table of that name; undefined where there is none. */
export function tableAt(text: string, [first, second]: TableName, name: string): Values | undefined {
  return tableIn(tableIn(parsedToml(text, name), first), second);
}

/** Appends a table at the end, below a comment of its own. */
export function appendTable(text: string, table: TableName, comment: string, values: Values, name: string): string {
  const lineEnd = lineEndOf(text);
  const [first, second] = table;
  const body = `# ${comment}\n${stringify({ [first]: { [second]: values } } as TomlTable).trimEnd()}`.replaceAll('\n', lineEnd);
  // A file that ends without a line end keeps doing so: by that, and by the empty line, cutting out finds the way back.
  const ended = text === '' || text.endsWith('\n');
  const whole = text === '' ? body + lineEnd : ended ? `${text}${lineEnd}${body}${lineEnd}` : `${text}${lineEnd}${lineEnd}${body}`;
  return proven(whole, withTable(parsedToml(text, name), table, values), name);
}

/** Gives a table other values: lines of keys that differ are replaced in their place, new ones follow its first line. */
export function updateTable(text: string, table: TableName, values: Values, name: string): string {
  const before = tableAt(text, table, name) ?? {};
  const lines = text.split('\n');
  const header = headerOf(lines, table, false);
  if (header === -1) throw notEditable(name, `[${table.join('.')}] is written in a form that is not edited`);
  const end = nextHeader(lines, header + 1);
  const carried = lines[header]?.endsWith('\r') === true ? '\r' : '';
  for (const [key, value] of Object.entries(values).reverse()) {
    if (isDeepStrictEqual(before[key], value)) continue;
    const at = lines.findIndex((line, index) => index > header && index < end && keyOf(line) === key);
    const line = stringify({ [key]: value } as TomlTable).trimEnd() + carried;
    if (at === -1) lines.splice(header + 1, 0, line);
    else lines[at] = line;
  }
  const expected = withTable(parsedToml(text, name), table, { ...before, ...values });
  return proven(lines.join('\n'), expected, name);
}

/** Cuts a table out, with the tables below it and the comment above that `appendTable` wrote. What is not there changes nothing. */
export function removeTable(text: string, table: TableName, comment: string, name: string): string {
  const document = parsedToml(text, name);
  if (tableIn(tableIn(document, table[0]), table[1]) === undefined) return text;
  let lines = text.split('\n');
  for (let header = headerOf(lines, table, true); header !== -1; header = headerOf(lines, table, true)) {
    lines = withoutLines(lines, header, comment);
  }
  return proven(lines.join('\n'), withTable(document, table, undefined), name);
}

/** Without the table that begins at a line: up to its last value, so that a comment about the next one stays. */
function withoutLines(lines: readonly string[], header: number, comment: string): string[] {
  const next = nextHeader(lines, header + 1);
  let end = next;
  while (end > header + 1 && /^\s*(#.*)?$/.test(lines[end - 1] ?? '')) end -= 1;
  let start = header;
  if (lines[start - 1]?.trim() === `# ${comment}`) {
    start -= 1;
    // The empty line that parted it from what stood before. A first line of the file has nothing before it.
    if (start > 0 && lines[start - 1]?.trim() === '') start -= 1;
  }
  const rest = [...lines.slice(0, start), ...lines.slice(end)];
  // It stood last, in a file that ends without a line end.
  if (end === lines.length && rest.length > 0) rest.push((rest.pop() ?? '').replace(/\r$/, ''));
  return rest;
}

function nextHeader(lines: readonly string[], from: number): number {
  const found = lines.findIndex((line, index) => index >= from && /^\s*\[/.test(line) && isStatement(lines, index));
  return found === -1 ? lines.length : found;
}

/** The line that opens this table, or (`below`) the first that opens it or one inside it. */
function headerOf(lines: readonly string[], [first, second]: TableName, below: boolean): number {
  const word = (name: string) => `(?:${name}|"${name}"|'${name}')`;
  const header = new RegExp(`^\\s*\\[\\s*${word(first)}\\s*\\.\\s*${word(second)}\\s*(?:\\]${below ? '|\\.' : ''})`);
  return lines.findIndex((line, index) => header.test(line) && isStatement(lines, index));
}

/** Whether a line begins something: inside a text or a list of several lines, what stands before it is no document. */
function isStatement(lines: readonly string[], index: number): boolean {
  try {
    parse(
      lines
        .slice(0, index)
        .map((line) => `${line}\n`)
        .join(''),
      { integersAsBigInt: 'asNeeded' },
    );
    return true;
  } catch {
    return false;
  }
}

function keyOf(line: string): string | undefined {
  return /^\s*(?:([\w-]+)|"([^"\\]*)"|'([^']*)')\s*=/
    .exec(line)
    ?.slice(1)
    .find((word) => word !== undefined);
}

/** A table in a table; undefined where there is none. */
export function tableIn(values: Values | undefined, key: string): Values | undefined {
  const found = values?.[key];
  return found !== null && typeof found === 'object' && !Array.isArray(found) ? (found as Values) : undefined;
}

/** The document with another table of that name, or without it; a parent that holds nothing else goes, too. */
function withTable(document: Values, [first, second]: TableName, values: Values | undefined): Values {
  const { [second]: _old, ...others } = tableIn(document, first) ?? {};
  const parent = values === undefined ? others : { ...others, [second]: values };
  const { [first]: _parent, ...rest } = document;
  return Object.keys(parent).length === 0 ? rest : { ...rest, [first]: parent };
}

/** The text, if it says what it should: an empty parent table is as good as none. */
function proven(text: string, expected: Values, name: string): string {
  const found = parsedOrNothing(text);
  const pruned = Object.fromEntries(Object.entries(found).filter(([key]) => key in expected || !isEmptyTable(found[key])));
  if (!isDeepStrictEqual(plain(pruned), plain(expected)))
    throw notEditable(name, 'could not be edited without changing more than was meant');
  return text;
}

function parsedOrNothing(text: string): Values {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch {
    return {};
  }
}

function isEmptyTable(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** Without the parser's prototypes and date classes, which compare by more than they say. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))) as unknown;
}

function notEditable(name: string, why: string): HubError {
  return new HubError('conflict', `${name}: ${why}; nothing was changed.`, {
    hint: 'Put it right by hand, then run this again; --dry-run shows what it would do.',
  });
}
