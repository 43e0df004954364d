// Lists: what there is in a project, or with --all-projects in each of this hub. As JSON it is what the view or tool answers, in its words; for people
// it is a table of what matters of it, and a word on what to do next.

import type { Command } from 'commander';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { renderThings } from './render.ts';

export type ListFlags = CommonFlags & { allProjects?: boolean; limit?: string };
/** How many rows are shown by default, and at most. */
export type Page = { usual: number; most: number };
type Row = Record<string, unknown>;

export type Listing<F extends ListFlags, R extends Row, O extends Record<string, unknown>> = {
  /** The field of what is answered that holds the rows. */
  of: string & keyof O;
  read(operator: Operator, flags: F): Promise<O>;
  /** Where a list is cut at its first rows: --limit takes more of them, and whoever looks is told that there may be more. */
  page?: Page;
  /** A row as people see it. */
  cells(row: R): Row;
  /** The whole of a list for people, where a table would not do. */
  print?(rows: readonly R[]): string[];
  /** What is said below the table. */
  below?(reply: O, rows: readonly R[], operator: Operator, flags: F): (string | undefined)[];
};

/** Adds a command that shows a list. */
export function addList<F extends ListFlags, R extends Row, O extends Record<string, unknown>>(
  parent: Command,
  words: string,
  texts: { description: string; example: string },
  listing: Listing<F, R, O>,
): Command {
  const command = withAllProjects(addCommand(parent, words, texts.description, texts.example)).action((flags: F) =>
    showList(flags, listing),
  );
  return listing.page === undefined
    ? command
    : command.option('--limit <number>', `at most so many, ${listing.page.usual} by default, up to ${listing.page.most}`);
}

/** How many rows are wanted. Errors: usage, beyond what a list may show. */
export function toLimit(given: string | undefined, { usual, most }: Page): number {
  const limit = given === undefined ? usual : Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > most) throw usage(`--limit must be 1 to ${most}.`, 'For example: --limit 20');
  return limit;
}

/** What is said of a list that may go on after its first rows. */
export function ofFirst(rows: number, flags: { limit?: string }, page: Page): string | undefined {
  const limit = toLimit(flags.limit, page);
  if (rows < limit) return undefined;
  return limit < page.most
    ? `The first ${limit}; --limit shows more, up to ${page.most}.`
    : `The first ${limit}; the rest is shown when some of these have ended.`;
}

export function withAllProjects(command: Command): Command {
  return command.option('--all-projects', 'of every project of this hub, each row with its project');
}

export async function showList<F extends ListFlags, R extends Row, O extends Record<string, unknown>>(
  flags: F,
  listing: Listing<F, R, O>,
): Promise<void> {
  if (flags.allProjects === true && flags.project !== undefined)
    throw usage('--project and --all-projects exclude each other.', 'Leave one of them out.');
  if (listing.page !== undefined) toLimit(flags.limit, listing.page);
  await asOperator(flags, (operator) =>
    flags.allProjects === true ? showAll(operator, flags, listing) : showOne(operator, flags, listing),
  );
}

async function showOne<F extends ListFlags, R extends Row, O extends Record<string, unknown>>(
  operator: Operator,
  flags: F,
  { of, read, cells, print, page, below }: Listing<F, R, O>,
): Promise<void> {
  const { terminal } = operator;
  const reply = await read(operator, flags);
  if (flags.json === true) return terminal.json(reply);
  const rows = reply[of] as R[];
  for (const line of print === undefined || rows.length === 0 ? renderThings(rows.map(cells)) : print(rows)) terminal.line(line);
  const first = page === undefined ? undefined : ofFirst(rows.length, flags, page);
  for (const sentence of [first, ...(below?.(reply, rows, operator, flags) ?? [])])
    if (sentence !== undefined) terminal.line(`\n${sentence}`);
}

async function showAll<F extends ListFlags, R extends Row, O extends Record<string, unknown>>(
  operator: Operator,
  flags: F,
  { of, read, cells, print, page }: Listing<F, R, O>,
): Promise<void> {
  const { terminal } = operator;
  const found: { project: string; rows: R[] }[] = [];
  const all: Row[] = [];
  for (const project of await operator.hub.projects.list()) {
    const rows = (await read(await operator.of(project), flags))[of] as R[];
    found.push({ project: project.name, rows });
    all.push(...rows.map((row) => ({ project: project.name, project_id: project.id, ...row })));
  }
  if (flags.json === true) return terminal.json({ [of]: all });
  if (print === undefined) {
    for (const line of renderThings(found.flatMap(({ project, rows }) => rows.map((row) => ({ project, ...cells(row) })))))
      terminal.line(line);
  } else {
    for (const { project, rows } of found.filter((one) => one.rows.length > 0))
      for (const line of [terminal.paint('bold', project), ...print(rows)]) terminal.line(line);
    if (all.length === 0) terminal.line('  none');
  }
  const first = page === undefined ? undefined : ofFirst(Math.max(0, ...found.map(({ rows }) => rows.length)), flags, page);
  if (first !== undefined) terminal.line(`\n${first}`);
}

/** The flags that were given, as a view takes them. */
export function definedOf(flags: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
