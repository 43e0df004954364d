import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freshHub, start } from './command-line.ts';

const seqs = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).seq as number);

it('prints from where it is told, then what happens, once each and in order', async () => {
  const { home, run } = await freshHub();
  const watch = start(['watch', '--json', '--after', '0'], { home });
  await expect.poll(watch.stdout, { timeout: 15_000 }).toContain('token.created');
  for (const body of ['one', 'two']) await run('send', '--to', 'reviewer', body);
  await expect.poll(() => seqs(watch.stdout()).length, { timeout: 5_000 }).toBe(5);
  expect(seqs(watch.stdout())).toEqual([1, 2, 3, 4, 5]);
  watch.kill('SIGINT');
  expect(await watch.ended).toMatchObject({ code: 130, stderr: '' });
});

it('runs the user’s program with the event on standard input, without a shell, and survives its failure', async () => {
  const { home, run } = await freshHub();
  const out = join(home, 'out');
  const script = join(home, 'note.mjs');
  writeFileSync(
    script,
    `import { appendFileSync } from 'node:fs';
let text = ''; for await (const part of process.stdin) text += part;
appendFileSync(process.argv[2], JSON.stringify({ args: process.argv.slice(3), type: JSON.parse(text).type }) + '\\n');
process.exitCode = 7;`,
  );
  const watch = start(
    ['watch', '--agent', 'reviewer', '--after', '3', '--exec', process.execPath, '--', script, out, '$(whoami)', '; ls'],
    { home },
  );
  for (const body of ['one', 'two']) await run('send', '--to', 'reviewer', body);
  await run('send', '--to', 'operator', 'not for the reviewer');
  const noted = () => {
    try {
      return readFileSync(out, 'utf8');
    } catch {
      return '';
    }
  };
  await expect.poll(() => noted().split('\n').length, { timeout: 15_000 }).toBe(3);
  expect(noted()).toBe('{"args":["$(whoami)","; ls"],"type":"message.sent"}\n'.repeat(2));
  expect(watch.stderr()).toContain('ended with 7');
  expect(watch.stdout()).not.toContain('not for');
});

it('goes on with the restored database after its own was replaced', async () => {
  const { home, run, json } = await freshHub();
  const { file } = await json('backup');
  const watch = start(['watch', '--json', '--after', '0'], { home });
  await expect.poll(watch.stdout, { timeout: 15_000 }).toContain('token.created');
  await json('restore', file, '--force');
  await run('send', '--to', 'reviewer', 'after the restore');
  await expect.poll(watch.stdout, { timeout: 15_000 }).toContain('message.sent');
});
