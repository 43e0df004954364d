#!/usr/bin/env node
// argv -> configuration -> hub -> scheduler -> front door. Everything this process can do hangs on the command it was started with.

import { runCommandLine } from './cli/program.ts';

process.umask(0o077); // whatever is written is the user's own
process.exitCode = await runCommandLine(process.argv);
