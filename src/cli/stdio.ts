// rookery stdio: the MCP server that an agent's client starts. It loads nothing but what its first answers need, and it always exits itself,
// because reading keeps standard input open: a hub that cannot be opened ends it with one sentence on standard error.

import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { isExporting } from '../config-sources.ts';
import { plainConfig } from '../plain-config.ts';
import { serveStdio } from '../server/stdio.ts';
import { systemClock } from '../system/clock.ts';
import { openLogLate } from '../system/late-log.ts';
import type { Log } from '../system/log.ts';

type Flags = { agent?: string; role?: string; project?: string; toolsets?: string; home?: string };

export function registerStdio(program: Command): void {
  program
    .command('stdio')
    .description('MCP server on standard input and output: what an agent’s client starts')
    .option('--agent <name>', 'the name of this agent')
    .option('--role <role>', 'its role, for example reviewer or manager')
    .option('--project <path-or-name>', 'the project, if not the working directory’s')
    .option('--toolsets <list>', 'toolsets to offer, or all')
    .option('--home <folder>', 'the hub’s folder')
    .option('--json', 'errors as JSON')
    .addHelpText('after', '\nExample:\n  $ claude mcp add hub -- rookery stdio --agent reviewer')
    .action(async ({ json, ...flags }: Flags & { json?: boolean }) => {
      process.exit(await served(flags, json === true));
    });
}

/** The same without a command line, for flags as clients are told to give them; undefined for any others. `called`: of its first call. */
export async function runStdio(args: readonly string[], called: () => void): Promise<number | undefined> {
  const flags = plainFlags(args);
  return flags && (await served(flags, false, called));
}

/** Flags that mean the same to whoever reads them. */
export function plainFlags(args: readonly string[]): Flags | undefined {
  const flags: Record<string, string> = {};
  for (let index = 0; index < args.length; index++) {
    const [, name, given] = /^--(agent|role|project|toolsets|home)(?:=(.+))?$/s.exec(args[index] ?? '') ?? [];
    const value = given ?? args[++index];
    if (name === undefined || value === undefined || value === '' || value.startsWith('-')) return undefined;
    flags[name] = value;
  }
  return flags;
}

async function served(flags: Flags, json: boolean, called?: () => void): Promise<number> {
  try {
    return await serve(flags, called);
  } catch (error) {
    const { showError } = await import('./failure.ts');
    return await showError(error, json ? ['--json'] : []);
  }
}

async function serve(flags: Flags, called: (() => void) | undefined): Promise<number> {
  const config = plainConfig({ env: process.env, cwd: process.cwd(), flags }) ?? (await import('../config.ts')).readProcessConfig(flags);
  const log = await openLogLate(config.logLevel, config.logFile);
  // Only where a receiver is named: a client waits for its server.
  const telemetry = isExporting(config.otel) ? await collecting(config, log) : undefined;
  const open = async () => (await import('../open.ts')).openWithScheduler(config, log, telemetry);
  const code = await serveStdio({ config, log, open, sleep: systemClock.sleep, called });
  await telemetry?.close();
  return code;
}

async function collecting(config: Config, log: Log) {
  const { collectTelemetry } = await import('../telemetry/collect.ts');
  return await collectTelemetry({ config, process: 'stdio', log });
}
