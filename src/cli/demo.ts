// rookery demo: the whole picture in under a minute, told in plain words as it happens on a hub of its own. It ends its processes and removes its
// folder whatever happens, Ctrl-C included.

import type { Command } from 'commander';
import { readConfig } from '../config.ts';
import type { Narrator } from '../demo/play.ts';
import { systemClock } from '../system/clock.ts';
import { usage } from './failure.ts';
import { interrupts } from './interrupts.ts';
import { printSafeLine } from './print-safe.ts';
import { folded, openTerminal, type Style, type Terminal } from './terminal.ts';
import { invocation, MAIN } from './this-program.ts';

type Flags = { keep?: boolean; speed?: string; port?: string; json?: boolean };

const SPEEDS: Record<string, number> = { normal: 1_000, fast: 0 };
const PERSON_MS = 10_000;
const STYLES: Record<string, Style> = { hub: 'dim', you: 'yellow', maya: 'cyan', ada: 'green', ben: 'magenta' };
const COLUMNS = 100;

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('watch three agents work a small job: the whole picture in under a minute')
    .option('--keep', 'keep its folder, to look around in')
    .option('--speed <speed>', 'normal, to read along; fast, without pauses', 'normal')
    .option('--port <number>', 'where its dashboard is served; a free port by default')
    .option('--json', 'print JSON: an object per thing that happens, the last with the sums')
    .addHelpText(
      'after',
      `\nIt runs on a hub of its own in a temporary folder: yours is not touched, no network and no model is needed, and nothing is left.
The agents are scripted; everything else is real: processes, MCP connections, kill -9, the dashboard.

Example:
  $ rookery demo`,
    )
    .action(demo);
}

async function demo(flags: Flags): Promise<void> {
  const stepMs = SPEEDS[flags.speed ?? 'normal'];
  if (stepMs === undefined) throw usage(`--speed must be ${Object.keys(SPEEDS).join(' or ')}.`, 'For example: rookery demo --speed fast');
  const port = Number(flags.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw usage('--port must be 0 to 65535.', 'For example: --port 7421');
  const { childEnv, noColor } = readConfig({ env: process.env, cwd: process.cwd(), flags: {}, files: false });
  const terminal = openTerminal({ noColor });
  const [{ Stage }, { play }] = await Promise.all([import('../demo/stage.ts'), import('../demo/play.ts')]);
  const since = systemClock.monotonic();
  const interrupted = interrupts({ insists: false });
  const stage = new Stage({
    command: process.execPath,
    main: MAIN,
    env: childEnv,
    port,
    bellDir: (home) => readConfig({ env: {}, cwd: home, flags: { home }, files: false }).bellDir,
  });
  const over = new Promise<'interrupted'>((resolve) => interrupted.signal.addEventListener('abort', () => resolve('interrupted')));
  const watched = flags.json !== true && process.stdout.isTTY === true && process.stdin.isTTY === true && stepMs > 0;
  const pause = (steps = 1) => systemClock.sleep(steps * stepMs * 0.6, interrupted.signal);
  let done: { events: number; messages: number } | 'interrupted' = 'interrupted';
  try {
    const playing = stage.open().then(() => play({ stage, tell: narrator(terminal, flags), pause, personMs: watched ? PERSON_MS : 0 }));
    playing.catch(() => {}); // its processes are ended under it when it is interrupted
    done = await Promise.race([playing, over]);
    if (done !== 'interrupted' && watched) {
      terminal.line(`\nThe dashboard is up until you press Enter: ${stage.url}`);
      await Promise.race([enter(), over]);
    }
  } finally {
    await stage.close(flags.keep === true);
    interrupted.release();
  }
  const seconds = Math.round((systemClock.monotonic() - since) / 100) / 10;
  const kept = flags.keep === true ? stage.folder : null;
  if (flags.json === true) terminal.json({ done: done !== 'interrupted', seconds, ...(done === 'interrupted' ? {} : done), kept });
  else for (const line of whatNext(done === 'interrupted', seconds, kept, stage)) terminal.line(line);
}

/** The person has pressed Enter, or is gone with the terminal. */
async function enter(): Promise<void> {
  process.stdin.resume();
  await new Promise<void>((resolve) => {
    for (const event of ['data', 'end', 'error']) process.stdin.once(event, () => resolve());
  });
  process.stdin.pause();
}

function narrator(terminal: Terminal, { json }: Flags): Narrator {
  let number = 0;
  if (json === true) {
    let act = '';
    return {
      act: (title) => {
        act = title;
        number += 1;
      },
      says: (who, what) => terminal.json({ number, act, who, what }),
      quotes: (text) => terminal.json({ number, act, who: null, what: text }),
    };
  }
  return {
    act(title) {
      number += 1;
      terminal.line(`\n${terminal.paint('bold', `${number}. ${title}`)}`);
    },
    says(who, what) {
      const [first = '', ...rest] = folded(printSafeLine(what), COLUMNS - 8);
      terminal.line(`  ${terminal.paint(STYLES[who] ?? 'bold', who.padEnd(5))} ${first}`);
      for (const line of rest) terminal.line(`        ${line}`);
    },
    quotes(text) {
      for (const line of folded(printSafeLine(text), COLUMNS - 10)) terminal.line(terminal.paint('dim', `        | ${line}`));
    },
  };
}

function whatNext(
  interrupted: boolean,
  seconds: number,
  kept: string | null,
  { home, project }: { home: string; project: string },
): string[] {
  const rookery = invocation();
  const look = `--home ${home} --project ${project}`;
  const left =
    kept === null
      ? ['Its processes are ended and its folder is removed.']
      : [`Its processes are ended. Its folder is kept: ${kept}`, `  ${rookery} status ${look}`, `  ${rookery} serve --home ${home}`];
  if (interrupted) return ['\nThe demo was interrupted.', ...left];
  return [
    `\nThat was the demo, in ${seconds} s. ${left[0]}`,
    ...left.slice(1),
    '\nTo go on with agents of your own:',
    `  ${rookery} install claude codex     puts the hub into your clients, with hooks (--dry-run shows what that changes)`,
    `  ${rookery} serve                    serves your dashboard`,
    `  ${rookery} status                   what is there, what waits for you, what is stuck and why`,
  ];
}
