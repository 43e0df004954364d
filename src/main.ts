#!/usr/bin/env node
// argv -> configuration -> hub -> scheduler -> front door. Everything this process can do hangs on the command it was started with.
// The command line is loaded only after the preflight, so that a missing package or an old Node is one sentence and not a stack; and by what the
// engine kept of it, where it was run before.
// What a client starts by itself (hook, rewake, monitor) never disturbs it, whatever is wrong: Claude Code takes a hook's exit code 2 for a
// refusal, a rewake's for mail, and the end of a monitor for news.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { existingHome } from './hub-home.ts';
import { loadFailure, type Refusal, refusalOf } from './preflight.ts';
import { KeptCode } from './system/kept-code.ts';
import { stopBetweenTransactions } from './system/signals.ts';

/** Where a process that goes on has loaded all that it starts with. */
const STARTED_MS = 5_000;
/** A server has run all that it usually runs when it has been called, and when nobody calls it for long. */
const CALLED_MS = 1_000;
const UNUSED_MS = 30_000;

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
    const args = process.argv.slice(2);
    const kept = keptCode(args);
    if (args[0] === 'stdio') await runServer(args.slice(1), kept);
    const { runCommandLine } =
      (kept?.load(builtFile('program')) as typeof import('./cli/program.ts')) ?? (await import('./cli/program.ts'));
    kept?.keepIn(STARTED_MS, true);
    process.exitCode = await runCommandLine(process.argv, fails);
    kept?.keep();
    return undefined;
  } catch (error) {
    const refusal = loadFailure(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** A client waits for its server: that starts without a command line, unless its flags ask for one. */
async function runServer(args: readonly string[], kept: KeptCode | undefined): Promise<void> {
  const { runStdio } = (kept?.load(builtFile('stdio')) as typeof import('./cli/stdio.ts')) ?? (await import('./cli/stdio.ts'));
  kept?.keepIn(UNUSED_MS, false);
  const code = await runStdio(args, () => kept?.keepIn(CALLED_MS, true));
  if (code === undefined) return;
  kept?.keep(false);
  process.exit(code);
}

/** A file of the built package; there is none in development. */
function builtFile(name: string): string {
  return fileURLToPath(new URL(`./chunks/${name}.js`, import.meta.url));
}

/** What was kept of earlier runs lies in the hub's folder, if there is one. */
function keptCode(args: readonly string[]): KeptCode | undefined {
  if (!existsSync(builtFile('program'))) return undefined;
  const [kind = ''] = args;
  const flag = args.findIndex((arg) => arg === '--home' || arg.startsWith('--home='));
  const given = args[flag]?.split('=')[1] ?? (flag < 0 ? undefined : args[flag + 1]);
  const home = existingHome(given ?? process.env.ROOKERY_HOME);
  return new KeptCode(home && join(home, 'cache'), ['stdio', 'serve'].includes(kind) ? kind : 'cli');
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
