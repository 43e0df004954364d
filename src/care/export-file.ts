// The file of an export: one JSON object per line. The first says what it is and in which version; the last says that it is whole. An older version
// is upgraded record by record as it is read; a newer one is refused, because what it means is not known here.
// A whole hub, to be moved, is another kind with lines of its own (move-file.ts).

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as z from 'zod';
import { HubError } from '../hub/errors.ts';
import type { CarriedPolicy, Profile, Setup } from '../hub/profile.ts';

/** 2 brought policies. */
export const EXPORT_VERSION = 2;
export type ExportRecord = Readonly<Record<string, unknown>>;

/** From each version to the next; the first is from version 1. */
const UPGRADES: readonly ((record: ExportRecord) => ExportRecord)[] = [(record) => record];

const LINE_CHARS = 1_048_576;
const AGENTS = 100_000;

const name = z.string().min(1).max(40);
const text = z.string().max(262_144);
const agent = z.strictObject({
  name,
  name_source: z.enum(['given', 'generated']),
  role: name,
  description: text,
  model: text,
  capabilities: z.array(z.string().max(80)).max(200),
  made_by: name.nullable(),
});
const step = z.looseObject({ key: name, after: z.array(name), request: z.looseObject({ title: z.string().min(1).max(200) }) });
const template = z.strictObject({ name, definition: z.looseObject({ request: z.looseObject({}), steps: z.array(step) }) });
const policy = z.strictObject({ key: z.string().min(1).max(80), agent: name.nullable(), value: z.json() });
const reminder = z.strictObject({
  of: name,
  for: name,
  message: text.min(1),
  cron: z.string().max(100).nullable(),
  timezone: z.string().max(64).nullable(),
  max_runs: z.int().min(1).nullable(),
  runs: z.int().min(0),
  due_at: z.iso.datetime(),
});
const project = z.strictObject({ id: z.string().min(1).max(120), name: z.string().min(1).max(200), root: z.string().max(4_096) });
const RECORDS = { all_projects: z.literal(true), project, agent, template, policy, reminder } as const;
type Listed = Exclude<keyof typeof RECORDS, 'all_projects' | 'project'>;

/** The lines of an export, in an order that depends on nothing but what is in it. What holds in all projects stands before the first. */
export function* exportLines({ policies, profiles }: Setup): Generator<string> {
  yield line({ rookery_export: EXPORT_VERSION, kind: 'profile' });
  if (policies !== undefined) yield line({ all_projects: true });
  for (const value of policies ?? []) yield line({ policy: value });
  for (const one of [...profiles].sort((a, b) => (a.project.id < b.project.id ? -1 : 1))) {
    yield line({ project: one.project });
    for (const value of one.agents) yield line({ agent: value });
    for (const value of one.templates) yield line({ template: value });
    for (const value of one.policies) yield line({ policy: value });
    for (const value of one.reminders) yield line({ reminder: value });
  }
  yield line({ end: true });
}

/** Reads an export from a file, or from a stream. Errors: `invalid_input` naming the line; `unavailable` for one of a newer version. */
export async function readExport(from: string | Readable, upgrades = UPGRADES, current = EXPORT_VERSION): Promise<Setup> {
  const setup: Setup = { policies: undefined, profiles: [] };
  let version: number | undefined;
  let ended = false;
  let number = 0;
  for await (const given of createInterface({
    input: typeof from === 'string' ? createReadStream(from, 'utf8') : from,
    crlfDelay: Infinity,
  })) {
    number += 1;
    if (given.trim() === '') continue;
    if (ended) throw bad(number, 'something stands after the end');
    const record = toRecord(given, number);
    if (version === undefined) {
      version = versionOf(record, current);
      continue;
    }
    if (record.end === true) ended = true;
    else take(setup, upgraded(record, version, upgrades), number);
  }
  if (version === undefined) throw notAnExport();
  if (!ended) throw bad(number, 'its end is missing: the file was cut off');
  return setup;
}

function line(record: ExportRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function toRecord(given: string, number: number): ExportRecord {
  if (given.length > LINE_CHARS) throw bad(number, `it is longer than ${LINE_CHARS} characters`);
  try {
    const value: unknown = JSON.parse(given);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as ExportRecord;
  } catch {
    // told below
  }
  throw number === 1 ? notAnExport() : bad(number, 'it is not a JSON object');
}

function versionOf(record: ExportRecord, current: number): number {
  const version = record.rookery_export;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw notAnExport();
  if (record.kind === 'hub')
    throw new HubError('invalid_input', 'This is the export of a whole hub, which is read twice; nothing was changed.', {
      hint: 'Save it as a file: rookery import FILE',
    });
  if (version > current) throw newerExport(version, current);
  if (record.kind !== 'profile')
    throw new HubError('invalid_input', `This export holds ${String(record.kind).slice(0, 40)}, not profiles; nothing was changed.`, {
      hint: 'rookery export makes one that import takes.',
    });
  return version;
}

export function newerExport(version: number, current: number): HubError {
  return new HubError(
    'unavailable',
    `This export is of version ${version}; this Rookery reads up to version ${current}. Nothing was changed.`,
    { hint: 'Update Rookery here, or export with the version that is here.' },
  );
}

function upgraded(record: ExportRecord, version: number, upgrades: typeof UPGRADES): ExportRecord {
  return upgrades.slice(version - 1).reduce((before, upgrade) => upgrade(before), record);
}

function take(setup: Setup, record: ExportRecord, number: number): void {
  const { profiles } = setup;
  const [kind, ...others] = Object.keys(record);
  if (kind === undefined || others.length > 0 || !(kind in RECORDS)) throw bad(number, `it is none of ${Object.keys(RECORDS).join(', ')}`);
  const parsed = RECORDS[kind as keyof typeof RECORDS].safeParse(record[kind]);
  if (!parsed.success) throw bad(number, `${kind}.${parsed.error.issues[0]?.path.join('.') ?? ''} does not fit`);
  if (kind === 'all_projects') {
    if (profiles.length > 0 || setup.policies !== undefined) throw bad(number, 'it stands before all projects, and once');
    setup.policies = [];
    return;
  }
  if (kind === 'project') {
    profiles.push({ project: parsed.data as Profile['project'], agents: [], templates: [], policies: [], reminders: [] });
    return;
  }
  listFor(setup, kind as Listed, parsed.data, number).push(parsed.data);
}

/** Where a record belongs: to the project before it; a policy before the first, to all of them. */
function listFor({ policies, profiles }: Setup, kind: Listed, value: unknown, number: number): unknown[] {
  const last = profiles.at(-1);
  if (last === undefined) {
    if (kind === 'policy' && policies !== undefined && (value as CarriedPolicy).agent === null) return policies;
    throw bad(number, 'it stands before any project');
  }
  if (last.agents.length >= AGENTS) throw bad(number, `a project has more than ${AGENTS} agents`);
  return { agent: last.agents, template: last.templates, policy: last.policies, reminder: last.reminders }[kind];
}

function bad(number: number, why: string): HubError {
  return new HubError('invalid_input', `Line ${number} of the export: ${why}. Nothing was changed.`, {
    hint: 'rookery export makes a file that import takes.',
  });
}

function notAnExport(): HubError {
  return new HubError('invalid_input', 'This is not an export of Rookery; nothing was changed.', {
    hint: 'rookery export FILE makes one; a copy of everything is made by rookery backup.',
  });
}
