// rookery doctor: prints what the examination found. Exit code 0 all is well, 1 something is to be done, 3 the database cannot be used.

import type { Command } from 'commander';
import { type Config, readPlaceOnly } from '../config.ts';
import { examine, realProbes } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { type HubError, isHubError } from '../hub/errors.ts';
import { addCommand, type CommonFlags, configOf } from './command.ts';
import { printSafeLine } from './print-safe.ts';
import { openTerminal, progressBar, type Style } from './terminal.ts';
import { thisProcess } from './this-program.ts';

const STYLES: Record<Finding['status'], Style> = { ok: 'green', warn: 'yellow', fail: 'red', unknown: 'dim' };

export function registerDoctor(program: Command): void {
  addCommand(program, 'doctor', 'examine everything; what is wrong, why, and one thing to do', 'rookery doctor --deep')
    .option('--deep', 'also every index, every reference and the whole history')
    .action(async (flags: CommonFlags & { deep?: boolean }) => {
      const { config, broken } = configured(flags);
      const { findings, opened } = await examine(
        config,
        broken,
        flags.deep === true,
        realProbes({ ...thisProcess(), startsServers: true }),
        progressBar,
      );
      const well = findings.every(({ status }) => status === 'ok' || status === 'unknown');
      const terminal = openTerminal(config);
      if (flags.json === true) terminal.json({ ok: well, opened, findings });
      else {
        for (const finding of findings) {
          terminal.line(
            `${terminal.paint(STYLES[finding.status], finding.status.padEnd(7))} ${finding.check.padEnd(15)} ${printSafeLine(finding.what)}`,
          );
          if (finding.why !== undefined) terminal.line(`${' '.repeat(24)}${printSafeLine(finding.why)}`);
          if (finding.fix !== undefined) terminal.line(`${' '.repeat(24)}-> ${printSafeLine(finding.fix)}`);
        }
      }
      process.exitCode = !opened ? 3 : well ? 0 : 1;
    });
}

/** The configuration, or at least where the hub is. */
function configured(flags: CommonFlags): { config: Config; broken: HubError | undefined } {
  try {
    return { config: configOf(flags), broken: undefined };
  } catch (error) {
    if (!isHubError(error)) throw error;
    return { config: readPlaceOnly({ home: flags.home }), broken: error };
  }
}
