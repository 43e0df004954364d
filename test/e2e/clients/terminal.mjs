// A terminal for an interactive client: tmux, driven by keys and read as text. Each terminal has a tmux server of its own, with no
// configuration, and nothing of the tester's environment reaches the program in it.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenLeaving } from './leaving.mjs';
import { fresh, sleep } from './model-server.mjs';
import { below, end, until } from './process.mjs';

const ENDED = 'program ended with';

export const haveTmux = () => spawnSync('tmux', ['-V']).status === 0;

/** Starts a program in a terminal of 180 columns and 50 lines. */
export function terminal(program, args, { env, cwd }) {
  const socket = join(tmpdir(), fresh('tty-'));
  const tmux = (...words) => spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const line = ['env', '-i', ...variables, program, ...args].map(quoted).join(' ');
  tmux('new-session', '-d', '-s', 'main', '-x', '180', '-y', '50', '-c', cwd, `${line}; echo "${ENDED} $?"; sleep 600`);

  const pid = () => Number(tmux('display-message', '-p', '-t', 'main', '#{pane_pid}').stdout);
  const close = whenLeaving(async () => {
    const left = below(pid());
    tmux('kill-server');
    rmSync(socket, { force: true });
    // A client that is starting does not hear that its terminal is gone.
    if (!(await until(() => left.every((one) => !end(one, 0)), { seconds: 2 }))) for (const one of left) end(one, 'SIGKILL');
  });
  const screen = () => tmux('capture-pane', '-p', '-t', 'main').stdout ?? '';
  const key = (...keys) => tmux('send-keys', '-t', 'main', ...keys);
  return {
    screen,
    key,
    /** Types a line, as a person does: the words, a moment, Enter. */
    async type(words) {
      tmux('send-keys', '-t', 'main', '-l', '--', words);
      await sleep(250);
      key('Enter');
    },
    /** Waits for words on the screen; answers whether they came. */
    shows: (words, seconds = 30) => until(() => (words instanceof RegExp ? words.test(screen()) : screen().includes(words)), { seconds }),
    ended: (seconds = 20) => until(() => screen().includes(ENDED), { seconds }),
    /** The process of the program itself. */
    pid: () => below(pid())[0],
    close,
  };
}

function quoted(word) {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
