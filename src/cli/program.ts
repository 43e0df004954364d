// The command line: what `rookery` can be asked to do. A command is loaded only when it is run, because a stdio server must start fast;
// all of them are loaded only for help and for a name that none of them has.

import { Command, Help, type Option } from 'commander';
import { VERSION } from '../hub/version.ts';
import { EVERYWHERE } from './command.ts';
import { showError } from './failure.ts';
import { INTERRUPTED } from './interrupts.ts';
import { writeOut } from './write-out.ts';

/** Adds commands to the program. */
export type Register = (program: Command) => void;

/** Every group of commands, in the order of the help, with the names it answers to. */
const GROUPS: { names: readonly string[]; load: () => Promise<Register> }[] = [
  { names: ['demo'], load: async () => (await import('./demo.ts')).registerDemo },
  { names: ['stdio'], load: async () => (await import('./stdio.ts')).registerStdio },
  { names: ['serve'], load: async () => (await import('./serve.ts')).registerServe },
  { names: ['dashboard'], load: async () => (await import('./dashboard.ts')).registerDashboard },
  { names: ['status', 'projects'], load: async () => (await import('./status.ts')).registerStatus },
  { names: ['agents', 'agent'], load: async () => (await import('./agents.ts')).registerAgents },
  { names: ['inbox', 'thread', 'threads', 'dead', 'requeue'], load: async () => (await import('./mail.ts')).registerMail },
  {
    names: ['asks', 'answer', 'reminders', 'retry', 'cancel', 'resume', 'open'],
    load: async () => (await import('./owed.ts')).registerOwed,
  },
  { names: ['tasks', 'task'], load: async () => (await import('./tasks.ts')).registerTasks },
  { names: ['job'], load: async () => (await import('./jobs.ts')).registerJobs },
  { names: ['guard', 'reservations'], load: async () => (await import('./guard.ts')).registerGuard },
  { names: ['approvals', 'approve', 'deny'], load: async () => (await import('./approvals.ts')).registerApprovals },
  { names: ['install', 'uninstall'], load: async () => (await import('./install.ts')).registerInstall },
  { names: ['monitor', 'rewake'], load: async () => (await import('./wake-hosts.ts')).registerWakeHosts },
  { names: ['turns'], load: async () => (await import('./turns.ts')).registerTurns },
  { names: ['stats'], load: async () => (await import('./stats.ts')).registerStats },
  { names: ['hook'], load: async () => (await import('./hook.ts')).registerHook },
  { names: ['watch'], load: async () => (await import('./watch.ts')).registerWatch },
  { names: ['token'], load: async () => (await import('./token.ts')).registerToken },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).registerDoctor },
  { names: ['backup', 'verify', 'restore'], load: async () => (await import('./care.ts')).registerCare },
  { names: ['prune', 'untrack'], load: async () => (await import('./prune.ts')).registerPrune },
  { names: ['export', 'import'], load: async () => (await import('./transfer.ts')).registerTransfer },
  { names: ['move'], load: async () => (await import('./move.ts')).registerMove },
  { names: ['bench', 'prove'], load: async () => (await import('./repository.ts')).registerRepository },
  { names: ['migrate'], load: async () => (await import('./migrate.ts')).registerMigrate },
  { names: ['quarantine'], load: async () => (await import('./quarantine.ts')).registerQuarantine },
  { names: ['config'], load: async () => (await import('./config.ts')).registerConfig },
  {
    names: ['completion'],
    load: async () => {
      const { registerCompletion } = await import('./completion.ts');
      return (program) => registerCompletion(program, () => programWith(undefined));
    },
  },
  { names: ['call'], load: async () => (await import('./tools.ts')).registerTools },
];

/** Runs one command and answers the exit code: 0 ok, 1 refused, 2 usage, 3 unavailable. `fails`: what becomes of an error, if it is not shown. */
export async function runCommandLine(
  argv: readonly string[],
  fails: (error: unknown) => number | Promise<number> = (error) => showError(error, argv),
): Promise<number> {
  try {
    if (argv[2] === undefined) {
      const { welcome } = await import('./help.ts');
      writeOut(welcome());
      return 0;
    }
    const program = await programWith(argv[2]);
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const code = await fails(error);
    return process.exitCode === INTERRUPTED ? INTERRUPTED : code; // what broke off by it is no failure of its own
  }
}

/** The program with the group of the command that was asked for; with everything when no group answers to that name. */
export async function programWith(name: string | undefined): Promise<Command> {
  const program = new Command('rookery')
    .version(VERSION)
    .description('The coordination hub for coding agents.')
    .exitOverride()
    .configureHelp({ groupItems: ownFirst, commandDescription: asSentence })
    .configureOutput({ outputError: () => {}, writeOut }); // showError prints errors, once and in one form
  const group = GROUPS.find(({ names }) => name !== undefined && names.includes(name));
  for (const { load } of group === undefined ? GROUPS : [group]) (await load())(program);
  if (group === undefined) {
    const { programHelp } = await import('./help.ts');
    const usual = new Help();
    const formatHelp = (command: Command, help: Help) =>
      command === program ? programHelp(program, help) : usual.formatHelp(command, help);
    program.configureHelp({ formatHelp, groupItems: ownFirst, commandDescription: asSentence });
  }
  return program;
}

/** The options of a command before those that all have. */
function ownFirst<T extends Command | Option>(all: T[], visible: T[], groupOf: (item: T) => string): Map<string, T[]> {
  const groups = Help.prototype.groupItems.call(new Help(), all, visible, groupOf as (item: Command | Option) => string) as Map<
    string,
    T[]
  >;
  const common = groups.get(EVERYWHERE);
  if (common === undefined) return groups;
  groups.delete(EVERYWHERE);
  return groups.set(EVERYWHERE, common);
}

/** A command is told of in a list by a phrase, and by itself as a sentence. */
function asSentence(command: Command): string {
  const text = command.description();
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
