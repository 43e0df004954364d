// The commands that an agent may not run without an approval, and how a command line is held against them. A rule is a line of words: the program,
// then what must stand among its arguments; `a|b` is either, `*` any characters, `!word` must not stand there. The defaults are few: acts that
// reach beyond the project and cannot be taken back. The operator's configuration adds to them and takes from them.

import { posix } from 'node:path';
import { RISKS, type Risk } from '../store/approvals.ts';
import { commandsOf, PIPED, programOf, type ShellCommand, UNREADABLE } from './shell.ts';
import type { ShellWord } from './shell-words.ts';

export type CommandRule = {
  /** By which the operator's configuration refers to it. */
  name: string;
  match: string;
  risk: Risk;
  /** Completes "it ...". */
  why: string;
  /** Only where a path among the arguments may lie outside the project, or is the project itself. */
  outside?: boolean | undefined;
};

const rule = (name: string, match: string, risk: Risk, why: string, outside?: true): CommandRule => ({ name, match, risk, why, outside });

export const DEFAULT_RULES: readonly CommandRule[] = [
  rule(
    'git push --force',
    'git push --force|--force-with-lease|--mirror|--delete|--prune|-f|-d|+*|:* !--dry-run|-n',
    'high',
    'rewrites or deletes what others have fetched',
  ),
  rule('rm -r outside', 'rm -r|-R|--recursive', 'high', 'deletes outside the project, or the project itself', true),
  rule('find -delete', 'find -delete /|~|~/|/home|/Users|/root|/etc|/usr|/opt|/var', 'high', 'deletes far beyond the project'),
  rule('npm publish', 'npm|pnpm|yarn|bun|lerna publish|pub !--dry-run', 'high', 'publishes what cannot be taken back'),
  rule('cargo publish', 'cargo publish !--dry-run|-n', 'high', 'publishes what cannot be taken back'),
  rule('python publish', 'twine|poetry|uv|hatch|flit|pdm upload|publish', 'high', 'publishes what cannot be taken back'),
  rule('gem push', 'gem push', 'high', 'publishes what cannot be taken back'),
  rule('terraform apply', 'terraform|tofu|terragrunt apply|destroy', 'high', 'changes real infrastructure'),
  rule('pulumi up', 'pulumi up|update|destroy', 'high', 'changes real infrastructure'),
  rule('kubectl delete', 'kubectl|oc delete|drain|replace', 'high', 'takes down what runs in a cluster'),
  rule('helm uninstall', 'helm uninstall|delete|rollback', 'high', 'takes down what runs in a cluster'),
  rule('cloud delete', 'aws|gcloud|az|doctl|flyctl|heroku *delete*|*destroy*|*terminate*|*remove*|rm|rb', 'high', 'deletes in the cloud'),
  rule('gh delete', 'gh delete|archive|rename', 'high', 'deletes or renames what others use'),
  rule('gh release', 'gh release create|upload|edit', 'high', 'publishes what cannot be taken back'),
  rule('drop database', 'dropdb *', 'high', 'deletes a database'),
  rule('sql drop', 'psql|mysql|mariadb|sqlite3|sqlcmd|mongosh *drop*|*truncate*', 'high', 'deletes from a database'),
  rule('disk', 'dd of=/dev/*', 'high', 'writes over a disk'),
  rule('file system', 'mkfs*|wipefs|fdisk|parted|diskutil *', 'high', 'writes over a disk'),
  rule('download and run', `${PIPED} curl|wget`, 'medium', 'runs what was just downloaded'),
  rule('unreadable', UNREADABLE, 'medium', 'is too long or too deeply nested to be read'),
];

/** Where programs keep what they throw away: deleting below these needs nobody. */
const TEMPORARY = ['/tmp', '/private/tmp', '/var/tmp'];

export type RiskPlace = {
  folder: string;
  /** The folders whose inside is the project. */
  roots: readonly string[];
};

export class RiskyCommands {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly CommandRule[]) {
    this.#rules = rules.map(compile);
  }

  get empty(): boolean {
    return this.#rules.length === 0;
  }

  /** The rule of the highest risk that a command line falls under; undefined when it falls under none. */
  async find(text: string, place: RiskPlace): Promise<CommandRule | undefined> {
    if (this.empty) return undefined;
    const commands = await commandsOf(text, place.folder);
    const found = this.#rules.filter((compiled) => commands.some((command) => matches(compiled, command, place)));
    return found.sort((a, b) => RISKS.indexOf(b.rule.risk) - RISKS.indexOf(a.rule.risk))[0]?.rule;
  }
}

/** The rules in force: the defaults without those that are switched off, then the operator's own. */
export function rulesOf(guard: { commands: readonly CommandRule[]; off: readonly string[] }): readonly CommandRule[] {
  return [...DEFAULT_RULES, ...guard.commands].filter(({ name }) => !guard.off.includes(name) && !guard.off.includes('*'));
}

type Test = (word: string) => boolean;
type CompiledRule = { rule: CommandRule; program: Test; wanted: Test[]; unwanted: Test[] };

function compile(one: CommandRule): CompiledRule {
  const [program = '', ...words] = one.match.trim().split(/\s+/);
  const tests = (some: string[]) => some.map((word) => testOf(word));
  return {
    rule: one,
    program: testOf(program),
    wanted: tests(words.filter((word) => !word.startsWith('!'))),
    unwanted: tests(words.filter((word) => word.startsWith('!')).map((word) => word.slice(1))),
  };
}

function testOf(alternatives: string): Test {
  const tests = alternatives.split('|').map(testOne);
  return (word) => tests.some((test) => test(word));
}

function testOne(wanted: string): Test {
  // Options are found within a cluster (-rf), with a value (--force=yes), and abbreviated as getopt allows it (--recurs).
  if (/^-[A-Za-z]$/.test(wanted)) return (word) => /^-[A-Za-z]+$/.test(word) && word.includes(wanted.slice(1));
  if (wanted.startsWith('--'))
    return (word) => word === wanted || word.startsWith(`${wanted}=`) || (word.length > 4 && wanted.startsWith(word));
  const pattern = new RegExp(
    `^${wanted
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    'is',
  );
  return (word) => pattern.test(word);
}

function matches({ rule: one, program, wanted, unwanted }: CompiledRule, command: ShellCommand, place: RiskPlace): boolean {
  if (!program(programOf(command.words))) return false;
  const args = [...command.words.slice(1), ...(command.fed ?? [])].filter(({ known }) => known);
  if (!wanted.every((test) => args.some(({ text }) => test(text)))) return false;
  if (args.some(({ text }) => unwanted.some((test) => test(text)))) return false;
  return one.outside !== true || leavesProject(command, place);
}

/** Whether a path among the arguments may lie outside the project, or be the whole of it. What is not known may lie anywhere. */
function leavesProject(command: ShellCommand, { roots }: RiskPlace): boolean {
  const paths = command.words.slice(1).filter(({ text, known }) => !known || !text.startsWith('-'));
  return paths.some((path) => !isHarmless(path, command.folder, roots));
}

function isHarmless({ text, known, wild }: ShellWord, folder: string | null, roots: readonly string[]): boolean {
  if (!known || text === '' || text.startsWith('~') || (folder === null && !text.startsWith('/'))) return false;
  const path = posix.resolve(folder ?? '/', text);
  if (roots.some((root) => `${root}/`.startsWith(`${path}/`))) return false;
  const root = roots.find((one) => path.startsWith(`${one}/`));
  if (root !== undefined) return !isEverything(path, root, wild) && !`${path}/`.startsWith(`${root}/.git/`);
  return TEMPORARY.some((one) => path.startsWith(`${one}/`) && !isEverything(path, one, wild));
}

/** A wildcard alone below the root is the root's whole content. */
function isEverything(path: string, root: string, wild: boolean): boolean {
  return wild && /^[.*?]+$/.test(path.slice(root.length + 1).split('/')[0] ?? '');
}
