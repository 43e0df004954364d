#!/usr/bin/env node
// argv -> configuration -> hub -> scheduler -> front door. Everything this process can do hangs on the command it was started with.
// The command line is loaded only after the preflight, so that a missing package or an old Node is one sentence and not a stack.

import { loadFailure, refusalOf } from './preflight.ts';
import { stopBetweenTransactions } from './system/signals.ts';

process.umask(0o077); // whatever is written is the user's own
stopBetweenTransactions();

let refusal = refusalOf(process.platform, process.versions.node);
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
