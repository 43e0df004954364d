// rookery install and uninstall: shows what it changes in a client's settings, changes it, and says what is left to do.
// Nothing of the hub itself is opened: a client can be set up, or freed of us, while the hub is broken.

import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Client, Scope, Wish } from '../clients/install/client.ts';
import { CLIENTS, placesOf, SCOPES } from '../clients/install/client.ts';
import { clients } from '../clients/install/clients.ts';
import { carryOut, planInstall, planUninstall, settle, type Wished, type Written } from '../clients/install/installation.ts';
import { isHere } from '../clients/install/installed.ts';
import type { Program } from '../clients/install/program.ts';
import { leaveLauncher } from '../clients/launcher.ts';
import { type Config, readProcessConfig } from '../config.ts';
import { authorityOf } from '../hub/caller.ts';
import { HubError } from '../hub/errors.ts';
import { assertGrantable, assertName } from '../hub/names.ts';
import { VERSION } from '../hub/version.ts';
import { systemClock } from '../system/clock.ts';
import { systemHost } from '../system/host.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { printSafeLine } from './print-safe.ts';
import { openTerminal, type Style, type Terminal } from './terminal.ts';
import { thisProgram } from './this-program.ts';

type Flags = CommonFlags & {
  scope?: string;
  agent?: string;
  role?: string;
  toolsets?: string;
  allowTools?: boolean;
  dryRun?: boolean;
};
type Kind = 'install' | 'uninstall';

const NAMES = CLIENTS.join('|');
const DONE: Record<Written['act'], string> = { create: 'created', change: 'changed', delete: 'deleted', none: 'nothing to change' };

export function registerInstall(program: Command): void {
  addCommand(program, 'install <client...>', `put the hub into a client: ${CLIENTS.join(', ')}`, 'rookery install claude codex')
    .option('--scope <scope>', 'user or project; user by default, project for VS Code and Cursor')
    .option('--agent <name>', 'the name of the agent in this client; the hub makes one up otherwise')
    .option('--role <role>', 'its role, for example reviewer or manager')
    .option('--toolsets <list>', 'toolsets to offer, or all')
    .option('--no-allow-tools', 'let the client ask before each call of the hub')
    .option('--dry-run', 'show what would change, and change nothing')
    .action((names: string[], flags: Flags) => run('install', names, flags));
  addCommand(program, 'uninstall <client...>', 'take the hub out of a client again', 'rookery uninstall claude')
    .option('--scope <scope>', 'user or project; both by default')
    .option('--dry-run', 'show what would change, and change nothing')
    .action((names: string[], flags: Flags) => run('uninstall', names, flags));
}

async function run(kind: Kind, names: readonly string[], flags: Flags): Promise<void> {
  const { agent, role, toolsets, home, project } = flags;
  if (agent !== undefined) assertName(agent);
  if (role !== undefined) assertGrantable(role);
  const config = readProcessConfig({ home, project, toolsets });
  assertMayGive(role, config);
  const program = thisProgram();
  const wished = wishedOf(kind, names, flags, config, program);
  const dry = flags.dryRun === true;
  const around = {
    home: config.home,
    backupDir: config.backupDir,
    now: systemClock.now(),
    version: VERSION,
    pid: process.pid,
    isAlive: systemHost.isAlive,
    sleep: systemClock.sleep,
  };
  const undone = dry ? [] : settle(around);
  const absent = kind === 'install' ? absentOf(wished) : [];
  const plan = kind === 'install' ? planInstall(wished, config.home) : planUninstall(wished, config.home);
  const written: readonly Written[] = dry ? plan.steps : await carryOut(plan, kind, around);
  if (kind === 'install' && !dry) leaveLauncher(config.home, program);
  const changed = written.some(({ act }) => act !== 'none');
  const next = kind === 'install' ? wished.map(({ client, wish }) => ({ client: client.name, next: client.next(wish) })) : [];
  const terminal = openTerminal(config);
  if (flags.json === true) return terminal.json({ changed: changed && !dry, dry_run: dry, files: written, next, absent });
  if (undone.length > 0) terminal.line('An installation that had been interrupted was undone first.');
  show(terminal, written, dry);
  if (!changed)
    terminal.line(kind === 'install' ? 'Nothing to change: it is installed.' : 'Nothing to change: nothing of Rookery is there.');
  for (const name of absent) terminal.line(`${name}: it was not found on this machine; its settings are there for when it comes.`);
  if (kind === 'install' && !dry) for (const one of next) showNext(terminal, one);
}

/** Authority is given by a person, and not by an agent that can run commands. */
function assertMayGive(role: string | undefined, { agentMark }: Config): void {
  if (role === undefined || authorityOf(role) === 'agent' || agentMark === undefined) return;
  throw new HubError('forbidden', `Only a person may give the role ${role}; this runs inside a client of agents (${agentMark} is set).`, {
    hint: 'The person runs it in a terminal of their own.',
  });
}

function wishedOf(kind: Kind, names: readonly string[], flags: Flags, config: Config, program: Program): Wished[] {
  const places = placesOf(process.env, homedir(), config.place.workRoot);
  const scopes = scopesOf(flags.scope);
  return [...new Set(names)].map(clientNamed).flatMap((client) => {
    const meant = scopes ?? (kind === 'install' ? [client.scope] : SCOPES);
    return meant.map((scope) => {
      const wish: Wish = {
        program,
        scope,
        places,
        flags: serverFlags(flags, config),
        allowTools: flags.allowTools !== false,
      };
      return { client, wish };
    });
  });
}

/** Clients of which there is no trace here. */
function absentOf(wished: readonly Wished[]): string[] {
  return wished.filter(({ client, wish }) => !isHere(client, wish.places, process.env.PATH)).map(({ client }) => client.name);
}

function clientNamed(name: string): Client {
  const client = clients.find((one) => one.name === name);
  if (client === undefined) throw usage(`${name.slice(0, 40)} is not a client that Rookery knows.`, `Clients: ${NAMES}.`);
  return client;
}

function scopesOf(given: string | undefined): readonly Scope[] | undefined {
  if (given === undefined) return undefined;
  const scope = SCOPES.find((one) => one === given);
  if (scope === undefined) throw usage('--scope must be user or project.', 'For example: rookery install claude --scope project');
  return [scope];
}

/** What the server has to be told, because its client starts it with another environment and perhaps in another folder. */
function serverFlags(flags: Flags, config: Config): Record<string, string> {
  const { project, workRoot } = config.place;
  const isOwn = project.name === flags.project || project.root === workRoot;
  const named = flags.project !== undefined && isOwn && config.sources.project === 'flag';
  return defined({
    '--agent': flags.agent,
    '--role': flags.role,
    '--toolsets': flags.toolsets,
    '--project': named && flags.project !== undefined ? projectWord(flags.project, config) : undefined,
    '--home': config.home === join(homedir(), '.rookery') ? undefined : config.home,
  });
}

/** A folder by its path, a name as it is. */
function projectWord(given: string, config: Config): string {
  return config.place.project.name === given ? given : config.place.workRoot;
}

function show(terminal: Terminal, files: readonly Written[], dry: boolean): void {
  for (const { path, what, act, diff, backup } of files) {
    if (act === 'none') continue;
    for (const line of diff) terminal.line(painted(terminal, line));
    const kept = backup === undefined ? '' : `; what was there is kept in ${backup}`;
    const done = dry ? `would be ${DONE[act]}` : DONE[act];
    terminal.line(`${terminal.paint('bold', printSafeLine(path))} ${done} (${what})${printSafeLine(kept)}\n`);
  }
  if (dry) terminal.line('Nothing was written (--dry-run).');
}

function painted(terminal: Terminal, line: string): string {
  const styles: Record<string, Style> = { '+': 'green', '-': 'red', '@': 'cyan' };
  const style = line.startsWith('+++') || line.startsWith('---') ? 'bold' : styles[line[0] ?? ''];
  return style === undefined ? printSafeLine(line) : terminal.paint(style, printSafeLine(line));
}

function showNext(terminal: Terminal, { client, next }: { client: string; next: readonly string[] }): void {
  for (const text of next) terminal.line(`${client}: ${text}`);
  terminal.line(`${client}: rookery doctor tells whether it works; rookery uninstall ${client} takes it out.`);
}

function defined<T>(values: Record<string, T | undefined>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined));
}
