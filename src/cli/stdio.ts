// rookery stdio: the MCP server that an agent's client starts. It loads nothing but what serving needs, and it always exits itself,
// because the SDK keeps standard input open: a hub that cannot be opened ends it with one sentence on standard error.

import type { Command } from 'commander';
import { isExporting, readProcessConfig } from '../config.ts';
import { openLog } from '../system/log.ts';
import { showError } from './failure.ts';

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
      process.exit(await serve(flags).catch((error: unknown) => showError(error, json === true ? ['--json'] : [])));
    });
}

async function serve(flags: Flags): Promise<number> {
  const config = readProcessConfig(flags);
  const log = openLog(config.logLevel, config.logFile);
  const [{ serveStdio }, { openWithScheduler }, { systemClock }] = await Promise.all([
    import('../server/stdio.ts'),
    import('../open.ts'),
    import('../system/clock.ts'),
  ]);
  // Only where a receiver is named: a client waits for its server.
  const telemetry = isExporting(config.otel)
    ? await (await import('../telemetry/collect.ts')).collectTelemetry({ config, process: 'stdio', log })
    : undefined;
  const code = await serveStdio(config, log, () => openWithScheduler(config, log, telemetry), systemClock.sleep);
  await telemetry?.close();
  return code;
}
