import { expect, it } from 'vitest';
import { freshHub, start } from './command-line.ts';

it('says by its exit code that Ctrl-C ended a command that waits, without a word of failure', async () => {
  const { home, json } = await freshHub();
  const asking = start(['ask', '--to', 'reviewer', 'What is it?', '--wait-seconds', '50', '--json'], { home, input: '' });
  await expect.poll(async () => (await json('asks')).asks.length, { timeout: 30_000, interval: 200 }).toBe(1);
  asking.kill('SIGINT');
  const { code, stdout, stderr } = await asking.ended;
  expect([code, stderr, JSON.parse(stdout)]).toMatchObject([130, '', { state: 'open', reason: 'cancelled' }]);
});
