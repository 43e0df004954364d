// rookery config list, set and unset: policies, which hold from the next call on in every process, with where each value comes from; and the settings
// that a process reads when it starts, which `set` writes into config.json of the hub’s folder.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { applyEdits, modify } from 'jsonc-parser';
import { readConfig, type Setting, settingNames } from '../config.ts';
import { toIso } from '../hub/clock.ts';
import type { Explained, Target } from '../hub/policies.ts';
import { POLICY_KEYS, policyKey } from '../hub/policy-keys.ts';
import { systemHost } from '../system/host.ts';
import { asOperator, type Operator } from './as-operator.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { usage } from './failure.ts';
import { assertPerson } from './person.ts';
import { table } from './table.ts';
import { openTerminal, type Terminal } from './terminal.ts';

type PolicyFlags = CommonFlags & { agent?: string; explain?: boolean };

/** What only the environment or a flag should carry: files are read by others, and copied. */
const SECRETS: readonly Setting[] = ['token', 'enrol', 'databaseUrl'];
/** Settings that are the rules of one process at its start; while the hub runs they are policies of the same names. */
const GROUPS: readonly Setting[] = ['limits', 'guard', 'approvals'];
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function registerPolicies(config: Command): void {
  const agent = ['--agent <name>', 'for this agent of the project'] as const;
  addCommand(
    config,
    'list',
    'the policies in force, with where each value comes from',
    'rookery config list --explain --project shop --agent ana',
  )
    .option(...agent)
    .option('--explain', 'every level that says something, who set it and when')
    .action((flags: PolicyFlags) => showPolicies(flags, undefined));
  addCommand(
    config,
    'set <key> <value>',
    'set a policy for all projects, or for one (--project) or one agent (--agent); it holds from the next call on',
    'rookery config set limits.pendingReminders 10 --project shop',
  )
    .option(...agent)
    .action(async (key: string, value: string, flags: PolicyFlags) => {
      const setting = settingNames.find((name) => name === key);
      if (setting !== undefined) return await setAtStart(flags, setting, value);
      await change(flags, (operator, target) => operator.hub.policies.set(operator.caller, target, key, toValue(key, value)));
    });
  addCommand(
    config,
    'unset <key>',
    'take a policy back: the next coarser level holds',
    'rookery config unset limits.pendingReminders --project shop',
  )
    .option(...agent)
    .action(async (key: string, flags: PolicyFlags) => {
      await change(flags, (operator, target) => operator.hub.policies.unset(operator.caller, target, key));
    });
}

/** All policies, or one, as they hold for the project and, if one is named, the agent. */
export async function showPolicies(flags: PolicyFlags, key: string | undefined): Promise<void> {
  await asOperator(flags, async ({ hub, config, caller, terminal }) => {
    const explained = await hub.policies.explain(caller, flags.agent, key);
    if (flags.json === true)
      return terminal.json({
        ...{ project: config.place.project.name, project_id: caller.projectId, agent: flags.agent ?? null },
        policies: explained.map(toReport),
      });
    print(terminal, explained, flags.explain === true || key !== undefined);
  });
}

async function change(
  flags: PolicyFlags,
  act: (operator: Operator, target: Target) => ReturnType<Operator['hub']['policies']['set']>,
): Promise<void> {
  await asOperator({ ...flags, begins: true }, async (operator) => {
    const { hub, config, terminal } = operator;
    await assertPerson(hub, config);
    const changed = await act(operator, targetOf(flags));
    if (flags.json === true) return terminal.json({ ...changed, effective: 'at once' });
    const whom = changed.level === 'global' ? 'all projects' : changed.level === 'project' ? config.place.project.name : flags.agent;
    terminal.line(
      `${changed.key} for ${whom}: ${show(changed.from)} -> ${show(changed.to)}; it holds from the next call on, in every process.`,
    );
  });
}

function targetOf({ agent, project }: PolicyFlags): Target {
  if (agent !== undefined) return { level: 'agent', agent };
  return { level: project === undefined ? 'global' : 'project' };
}

/** What a person types: JSON, a word, a list with commas, a time such as 30d. */
function toValue(key: string, text: string): unknown {
  const { name, what } = policyKey(key);
  const time = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (name.endsWith('Ms') && time !== null) return Math.round(Number(time[1]) * (UNITS[time[2] ?? ''] ?? 1));
  try {
    return JSON.parse(text);
  } catch {
    return what.startsWith('a list of names') ? text.split(',').map((word) => word.trim()) : text;
  }
}

function toReport({ key, value, from, finest, layers }: Explained) {
  const shown = layers.map((layer) => ({
    from: layer.from,
    value: layer.value,
    ...(layer.setBy === undefined ? {} : { set_by: layer.setBy }),
    ...(layer.setAt === undefined ? {} : { set_at: toIso(layer.setAt) }),
  }));
  return { key, value, from, finest, layers: shown };
}

function print(terminal: Terminal, explained: readonly Explained[], all: boolean): void {
  const rows = explained.flatMap(({ key, value, from, finest, layers }) => {
    const set = layers.find((layer) => layer.setAt !== undefined && layer.from === from);
    const who = set?.setAt === undefined ? '' : `${set.setBy} ${toIso(set.setAt)}`;
    const first = [key, show(value), from, all ? finest : '', who];
    const others = layers
      .slice(1)
      .map((layer) => [
        '',
        show(layer.value),
        `(${layer.from})`,
        '',
        layer.setAt === undefined ? '' : `${layer.setBy} ${toIso(layer.setAt)}`,
      ]);
    return all && layers.length > 1 ? [first, ...others] : [first];
  });
  for (const line of table(['policy', 'value', 'from', all ? 'finest' : '', 'set'], rows)) terminal.line(line);
  if (explained.length === POLICY_KEYS.length)
    terminal.line('\nThe finest level holds: agent, project, global, configuration (config.json, read when a process starts), default.');
}

/** Writes a setting that processes read when they start, if it is one that may be so. */
async function setAtStart(flags: PolicyFlags, setting: Setting, text: string): Promise<void> {
  if (flags.agent !== undefined || flags.project !== undefined)
    throw usage(`${setting} is read when a process starts; it cannot differ by project or agent here.`, 'Leave --project and --agent out.');
  if (SECRETS.includes(setting))
    throw usage(`${setting} is a secret and belongs into no file.`, 'Give it in the environment of the process.');
  if (GROUPS.includes(setting)) throw usage(`${setting} is a group of policies.`, `rookery config list shows them, such as ${setting}.*.`);
  const value = typed(text);
  const config = configOf(flags);
  readConfig({ env: {}, cwd: config.place.workRoot, flags: { home: config.home, [setting]: value }, files: false }); // refuses what it may not be
  const terminal = openTerminal(config);
  await asOperator(flags, ({ hub }) => assertPerson(hub, config));
  const path = join(config.home, 'config.json');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '{}\n';
  const edits = modify(before, [setting], value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } });
  replace(path, applyEdits(before, edits));
  if (flags.json === true) return terminal.json({ key: setting, to: value, effective: 'when a process starts', file: path });
  terminal.line(`${setting} = ${show(value)} in ${path}: processes that start from now on read it; restart those that run.`);
}

function typed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whole or not at all. */
function replace(path: string, text: string): void {
  const fresh = `${path}.${systemHost.pid}.tmp`;
  const file = openSync(fresh, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '(not set)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
