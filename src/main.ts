#!/usr/bin/env node
// argv -> configuration -> hub -> scheduler -> front door. Everything this process can do hangs on the command it was started with.
// The command line is loaded only after the preflight, so that a missing package or an old Node is one sentence and not a stack.
// What a client starts by itself (hook, rewake, monitor) never disturbs it, whatever is wrong: Claude Code takes a hook's exit code 2 for a
// refusal, a rewake's for mail, and the end of a monitor for news.

import { loadFailure, type Refusal, refusalOf } from './preflight.ts';
import { stopBetweenTransactions } from './system/signals.ts';

process.umask(0o077); // whatever is written is the user's own
stopBetweenTransactions();
void main(process.argv);

async function main([, , command, ...args]: readonly string[]): Promise<void> {
  let refusal = refusalOf(process.platform, process.versions.node);
  if (!isClientsOwn(command) || isOfPerson(args)) {
    refusal ??= await runCommand();
    if (refusal === undefined) return;
    process.stderr.write(`rookery: ${refusal.message} ${refusal.hint}\n`);
    process.exit(3);
  }
  // Those that do what they are for end by themselves.
  if (refusal === undefined) await (command === 'hook' ? runHookProcess() : runCommand(() => 0)).catch(() => {});
  if (command === 'monitor') await clientIsGone();
  process.exit(0);
}

function isClientsOwn(command: string | undefined): boolean {
  return command === 'hook' || command === 'rewake' || command === 'monitor';
}

/** Help, or the bare command in a terminal. */
function isOfPerson(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h') || (args.length === 0 && process.stdin.isTTY);
}

/** Answers why it could not be loaded. `fails`: what becomes of a failure, instead of a line on standard error. */
async function runCommand(fails?: (error: unknown) => number): Promise<Refusal | undefined> {
  try {
    const { runCommandLine } = await import('./cli/program.ts');
    process.exitCode = await runCommandLine(process.argv, fails);
    return undefined;
  } catch (error) {
    const refusal = loadFailure(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

async function runHookProcess(): Promise<void> {
  const { runHook } = await import('./clients/hook-program.ts');
  await runHook({
    args: process.argv.slice(3),
    env: process.env,
    cwd: process.cwd(),
    parent: process.ppid,
    stdin: () => process.stdin,
    print: (text) => new Promise((done) => process.stdout.write(`${text}\n`, () => done())),
  });
}

async function clientIsGone(): Promise<void> {
  const [{ clientEnvironment }, { clientEnd }] = await Promise.all([import('./client-environment.ts'), import('./system/client-end.ts')]);
  const ended = clientEnd(clientEnvironment(process.env).clientPid ?? process.ppid);
  if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
}
