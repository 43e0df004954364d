// A terminal for an interactive client: tmux, driven by keys and read as text. Each terminal has a tmux server of its own, with no
// configuration, and nothing of the tester's environment reaches the program in it.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenLeaving } from './leaving.mjs';
import { fresh, sleep } from './model-server.mjs';
import { below, ended, until, waitFor } from './process.mjs';
import { figure, isLive, showing } from './report.mjs';

const ENDED = 'program ended with';
/** To look at a screen is to start a program. */
const LOOK_MS = 200;
/** Clients take keys that come at once for a paste, and Enter in a paste for the end of a line. */
const PAUSE_MS = 250;

export const haveTmux = () => spawnSync('tmux', ['-V']).status === 0;

/** Starts a program in a terminal of 180 columns and 50 lines. */
export function terminal(name, program, args, { env, cwd }) {
  const socket = join(tmpdir(), fresh('rookery-tty-'));
  const tmux = (...words) => spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const line = ['env', '-i', ...variables, program, ...args].map(quoted).join(' ');
  tmux('new-session', '-d', '-s', 'main', '-x', '180', '-y', '50', '-c', cwd, `${line}; echo "${ENDED} $?"; sleep 600`);
  if (isLive()) figure(`look at ${name}: tmux -S ${socket} attach -r`);

  const pid = () => Number(tmux('display-message', '-p', '-t', 'main', '#{pane_pid}').stdout);
  const screen = () => tmux('capture-pane', '-p', '-t', 'main').stdout ?? '';
  const hidden = showing(name, screen);
  const close = whenLeaving(async () => {
    hidden();
    const left = below(pid());
    tmux('kill-server');
    rmSync(socket, { force: true });
    await ended(left);
  });
  const key = (...keys) => tmux('send-keys', '-t', 'main', ...keys);
  const times = (words) => screen().split(words).length;
  const shows = (words, { seconds = 60 } = {}) =>
    waitFor(`${words} in the terminal of ${name}`, () => (words instanceof RegExp ? words.test(screen()) : screen().includes(words)), {
      seconds,
      every: LOOK_MS,
    });
  return {
    screen,
    key,
    shows,
    /** Types a line, as a person does: the words, a moment, Enter. */
    async type(words) {
      const before = times(words);
      tmux('send-keys', '-t', 'main', '-l', '--', words);
      await waitFor(`“${words}” as the words typed into ${name}`, () => times(words) > before, { every: 50 });
      await sleep(PAUSE_MS);
      key('Enter');
    },
    ended: (seconds = 30) => until(() => screen().includes(ENDED), { seconds, every: LOOK_MS }),
    /** The process of the program itself. */
    pid: () => below(pid())[0],
    close,
  };
}

function quoted(word) {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
