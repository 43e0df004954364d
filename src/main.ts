#!/usr/bin/env node
// argv -> configuration -> hub -> scheduler -> front door. Everything this process can do hangs on the command it was started with.
// The command line is loaded only after the preflight, so that a missing package or an old Node is one sentence and not a stack.

import { loadFailure, refusalOf } from './preflight.ts';
import { stopBetweenTransactions } from './system/signals.ts';

process.umask(0o077); // whatever is written is the user's own
stopBetweenTransactions();

let refusal = refusalOf(process.platform, process.versions.node);
if (isHook(process.argv)) {
  // A client waits for it, and must not notice when it cannot run.
  if (refusal === undefined) await runHookProcess().catch(() => {});
  process.exit(0);
}
if (refusal === undefined) {
  try {
    const { runCommandLine } = await import('./cli/program.ts');
    process.exitCode = await runCommandLine(process.argv);
  } catch (error) {
    refusal = loadFailure(error);
    if (refusal === undefined) throw error;
  }
}
if (refusal !== undefined) {
  process.stderr.write(`rookery: ${refusal.message} ${refusal.hint}\n`);
  process.exit(3);
}

/** A hook for a client; asked for help, it is a command like the others. */
function isHook([, , command, ...args]: readonly string[]): boolean {
  return command === 'hook' && args.every((arg) => arg !== '--help' && arg !== '-h') && args.length > 0;
}

async function runHookProcess(): Promise<void> {
  const { runHook } = await import('./clients/hook-program.ts');
  await runHook({
    args: process.argv.slice(3),
    env: process.env,
    cwd: process.cwd(),
    parent: process.ppid,
    stdin: process.stdin,
    print: (text) => new Promise((done) => process.stdout.write(`${text}\n`, () => done())),
  });
}
