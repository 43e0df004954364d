// rookery bench and prove: the measurements and the fault proofs, where the repository is present. They are not in the installed package: what they
// drive is the program from outside, with tools that only its developers have.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { HubError } from '../hub/errors.ts';
import { MAIN } from './this-program.ts';

type Kind = { name: 'bench' | 'prove'; what: string; example: string; options: readonly (readonly [string, string])[] };

const KINDS: readonly Kind[] = [
  {
    name: 'bench',
    what: 'measure the hub, each figure beside its floor in the same run',
    example: 'rookery bench --quick',
    options: [
      ['--quick', 'fewer repetitions'],
      ['--only <sections>', 'some sections, with commas between'],
      ['--json', 'the figures as JSON'],
    ],
  },
  {
    name: 'prove',
    what: 'kill, suspend and starve hubs at random, and check what was promised',
    example: 'rookery prove --quick',
    options: [
      ['--quick', 'about a minute'],
      ['--nightly', 'more of everything'],
      ['--count <n>', 'messages per client'],
      ['--rounds <n>', 'rounds of kills'],
      ['--seed <n>', 'repeat a run'],
      ['--faults', 'the fault laboratory alone: disks, kills, clocks, lost answers, malformed input'],
      ['--mutants', 'break the rules on purpose, and see the checks turn red'],
      ['--only <names>', 'some of the mutants or faults'],
      ['--json', 'errors as JSON'],
    ],
  },
];

export function registerRepository(program: Command): void {
  for (const { name, what, example, options } of KINDS) {
    const command = program.command(name).description(what);
    for (const [flags, words] of options) command.option(flags, words);
    command
      .addHelpText('after', `\nIn the repository only: it needs what an installed package does not hold.\n\nExample:\n  $ ${example}`)
      .action(async () => {
        const args = process.argv.slice(process.argv.indexOf(name) + 1).filter((word) => name === 'bench' || word !== '--json');
        process.exitCode = await run(name, args);
      });
  }
}

async function run(kind: string, args: readonly string[]): Promise<number> {
  const root = join(dirname(MAIN), '..');
  const script = join(root, kind, 'run.mjs');
  if (!existsSync(script) || !existsSync(join(root, 'build'))) {
    throw new HubError('unavailable', `rookery ${kind} runs in Rookery’s repository only; this is an installed package.`, {
      hint: `In a clone of the repository: npm ci && npm run ${kind}`,
    });
  }
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', cwd: root });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0 ? 0 : 1;
}
