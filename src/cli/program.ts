// The command line: what `rookery` can be asked to do. Commands are loaded only when they are run, because a stdio server must start fast.

import { Command } from 'commander';
import { type Config, readConfig } from '../config.ts';
import { ERROR_CODES, isHubError } from '../hub/errors.ts';
import { VERSION } from '../hub/hub.ts';
import { openLog } from '../system/log.ts';

/** Runs one command and answers the exit code: 0 ok, 1 refused, 2 usage, 3 unavailable. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('rookery').version(VERSION).description('The coordination hub for coding agents.');
  program
    .command('stdio')
    .description('MCP server on standard input and output: what an agent’s client starts')
    .option('--agent <name>', 'the name of this agent')
    .option('--role <role>', 'its role, for example reviewer or manager')
    .option('--project <path-or-name>', 'the project, if not the working directory’s')
    .option('--toolsets <list>', 'toolsets to offer, or all')
    .option('--home <folder>', 'the hub’s folder')
    .action(async (flags) => {
      const config = configOf(flags);
      const log = openLog(config.logLevel, config.logFile, () => {});
      const [{ serveStdio }, { openWithScheduler }, { systemClock }] = await Promise.all([
        import('../server/stdio.ts'),
        import('../open.ts'),
        import('../system/clock.ts'),
      ]);
      code = await serveStdio(config, log, () => openWithScheduler(config, log), systemClock.sleep);
      process.exit(code); // the SDK keeps standard input open
    });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    if (!isHubError(error)) throw error;
    process.stderr.write(`rookery: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}\n`);
    return ERROR_CODES[error.code].exit;
  }
}

function configOf(flags: Record<string, unknown>): Config {
  return readConfig({ env: process.env, cwd: process.cwd(), flags });
}
