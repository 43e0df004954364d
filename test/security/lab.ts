// A home that everything is done to, by every command and route, and everything that came out of it: what is seeded into it is searched for there.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { programWith, runCommandLine } from '../../src/cli/program.ts';
import { tools } from '../../src/tools/index.ts';
import { cleanup, scratch } from '../support/engines.ts';

let made = 0;
export const seed = (what: string) => `SEED${what}${String(++made).padStart(3, '0')}Zq7w`;

/** Everything that came out, and where. `words`: it is there to show words. */
export type Output = { where: string; text: string; words: boolean };

/** Commands that show what people and agents wrote; every other output must not. */
const SHOW_WORDS =
  /^(send|recv|recv-batch|threads?|inbox|dead|requeue|get-message|get-thread|ask|asks|answer|list-my-asks|remind|reminders|list-my-reminders|approvals?|approve|deny|request-approval|decide-approval|verify-approval|task|tasks|job|create-task|get-task|list-tasks|claim-task|update-task|complete-task|submit-review|handoff-task|cancel-task|wait-for-tasks|open|get-open-threads|status|agents|agent|list-agents|whoami|join|save-checkpoint|load-checkpoint|put-document|get-document|list-documents|reserve|reservations|release|watch|call|export|create-template|create-agent|cancel|cancel-ask|cancel-reminder|retry|retry-reminder|completion|guard|message-status|import)\b/;

export class Lab {
  readonly home = join(inMemory(), 'home');
  readonly outputs: Output[] = [];
  /** Shown by the one output that makes them; from then on searched for. */
  readonly secrets = new Map<string, string>();
  readonly words = new Map<string, string>();

  constructor() {
    mkdirSync(this.home, { mode: 0o700 });
    const config = { logLevel: 'trace', logFile: join(this.home, 'log.jsonl'), slowCallMs: 1, slowQueryMs: 1 };
    writeFileSync(join(this.home, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  }

  word(what: string): string {
    const text = seed(what);
    this.words.set(what, text);
    return `the ${text} of it`;
  }

  took(where: string, text: string, words = false): string {
    this.outputs.push({ where, text, words });
    return text;
  }

  /** A command within this process, for people and as JSON. What it makes is not among the outputs: that is where a secret is shown. */
  async run(...words: string[]): Promise<string> {
    const name = words.slice(0, 2).join(' ');
    const out = await said(this.home, ...words);
    return this.took(`rookery ${words.join(' ')}`, out, SHOW_WORDS.test(name));
  }

  /** The same for a command that shows a secret once. */
  async make(what: string, shown: RegExp, ...words: string[]): Promise<string> {
    const secret = shown.exec(await said(this.home, ...words))?.[0] ?? '';
    expect([what, secret.length > 15]).toEqual([what, true]);
    this.secrets.set(what, secret);
    return secret;
  }

  async json(...words: string[]): Promise<Record<string, string>> {
    const out = await this.run(...words, '--json');
    return JSON.parse(out.slice(out.indexOf('{'), out.lastIndexOf('}') + 1));
  }

  /** Every place where something is that should not be. */
  findings(): string[] {
    const found = this.outputs.flatMap(({ where, text, words }) => [
      ...[...this.secrets].filter(([, secret]) => text.includes(secret)).map(([what]) => `${what} in: ${where}`),
      ...[...this.words].filter(([, word]) => !words && text.includes(word)).map(([what]) => `the words of a ${what} in: ${where}`),
    ]);
    return [...new Set(found)];
  }
}

export async function said(home: string, ...words: string[]): Promise<string> {
  let text = '';
  const take = (part: unknown) => {
    text += String(part);
    return true;
  };
  const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')].map((spy) => spy.mockImplementation(take as never));
  try {
    // A move is of the whole hub.
    await runCommandLine(['node', 'rookery', ...words, '--home', home, ...(words[0] === 'move' ? [] : ['--project', 'demo'])]);
    process.exitCode = 0;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return text;
}

/** They start processes, or serve until they are ended: their own tests run them. */
const ELSEWHERE = ['serve', 'stdio', 'hook', 'monitor', 'rewake', 'demo', 'bench', 'prove', 'watch'];
/** A home on no disk, where there is one: hundreds of commands sync it, and nothing here is about that. */
function inMemory(): string {
  if (!existsSync('/dev/shm')) return scratch();
  const folder = mkdtempSync('/dev/shm/rookery-test-');
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Made = Record<'message' | 'ask' | 'reminder' | 'approval' | 'task', string>;

/** Every command once, with arguments that are right, and some with ones that are not. */
const linesOf = ({ message, ask, reminder, approval, task }: Made, file: string) => `
status; projects; threads; threads --search MARK; agents; agents show ada; agents wake ada; inbox ada; dead; asks --all; reminders --all; open; tasks; task graph; reservations; whoami
approvals --all; turns; stats; stats tokens; token list; doctor; doctor --deep; verify; backup; prune --dry-run; migrate --dry-run; guard rules
config; config show --explain; config list --explain; config set sendPerMinute 50; config unset sendPerMinute; untrack demo --dry-run; recv; help
completion bash; completion --list agents; dashboard --sign-out; install claude --dry-run; uninstall claude --dry-run; list-agents; recv-batch
list-my-asks; get-open-threads; list-my-reminders; load-checkpoint; list-documents; list-tasks; get-document notes; message-status ${message}
thread ${message}; thread export ${message}; get-message ${message}; get-thread --message-id ${message}; answer ${ask} yes; approve ${approval}
retry ${reminder}; cancel ${reminder}; task ${task}; job export ${task}; get-task ${task}; export ${file}; import ${file} --dry-run; quarantine ada
move --to ${file}.there --dry-run; quarantine ada --release; agents revoke newcomer; frobnicate; send; send --to nobody x; requeue msg_none --to ada; resume thr_none; deny apr_none
call send {broken; verify /none; retry rem_none; restore /none; import /none
`;

/** Every command, for people and as JSON. */
export async function everyCommand(lab: Lab, made: Made): Promise<void> {
  const lines = linesOf(made, join(lab.home, 'carried.ndjson'))
    .split(/[;\n]/)
    .map((line) => line.trim().split(' '))
    .filter(([name]) => name !== '');
  for (const line of lines) for (const more of [[], ['--json']]) await lab.run(...line, ...more);
  const toolNames = tools.map(({ name }) => name.replaceAll('_', '-'));
  for (const name of toolNames) await lab.run(name, ...(name === 'wait-for-tasks' ? ['--task-ids', made.task, '--wait-seconds', '0'] : []));
  for (const name of toolNames) lab.took(`help of ${name}`, await said(lab.home, name, '--help'));
  const known = new Set([...lines.map(([name]) => name), ...toolNames, ...ELSEWHERE]);
  const commands = (await programWith(undefined)).commands.map((command) => command.name());
  expect(commands.filter((name) => !known.has(name))).toEqual([]);
}

/** Every file below a folder, its bytes as they are. */
export function filesIn(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'latin1') }));
}
