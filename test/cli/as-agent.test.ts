import { describe, expect, it } from 'vitest';
import { freshHub, start } from './command-line.ts';

describe('--as-agent', () => {
  it('acts as the agent, in a terminal of one’s own or by its token, and takes what that agent would be shown', async () => {
    const { home, run, json } = await freshHub();
    const { token } = await json('token', 'create', '--agent', 'ada');
    const sent = await json('send', '--to', 'reviewer', '--as-agent', 'ada', 'from ada');
    expect((await json('inbox', 'reviewer')).messages).toMatchObject([{ message_id: sent.message_id, from: 'ada' }]);
    const reviewer = await json('recv', '--as-agent', 'reviewer');
    expect(reviewer.messages).toMatchObject([{ from: 'ada', body: 'from ada', authority: 'peer' }]);
    const byToken = (...args: string[]) => start(args, { home, env: { ROOKERY_TOKEN: token }, input: '' }).ended;
    expect(JSON.parse((await byToken('whoami', '--as-agent', 'ada', '--json')).stdout)).toMatchObject({ name: 'ada' });
    expect(await byToken('whoami', '--as-agent', 'reviewer')).toMatchObject({ code: 1, stderr: expect.stringContaining('is ada’s') });
    expect((await run('agents')).stdout).toMatch(/ada +agent +gone/);
  });

  it('is not by name alone: not for nobody, not inside another agent’s client, not with a wrong token', async () => {
    const { home, run } = await freshHub();
    expect(await run('recv', '--as-agent', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('No agent') });
    expect(await run('recv', '--as-agent', 'operator')).toMatchObject({ code: 2 });
    const inside = await start(['recv', '--as-agent', 'reviewer'], { home, env: { CLAUDECODE: '1' }, input: '' }).ended;
    expect(inside).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot act as reviewer') });
    const wrong = await start(['recv', '--as-agent', 'reviewer'], { home, env: { ROOKERY_TOKEN: 'rookery_nonsense' }, input: '' }).ended;
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('not known') });
  });

  it('gives no more than the agent may do', async () => {
    const { run } = await freshHub();
    expect(await run('requeue-dead', 'msg_1', '--to', 'reviewer', '--as-agent', 'reviewer')).toMatchObject({ code: 1 });
  });
});

describe('one agent', () => {
  it('is shown as it would see itself, and is shown nothing by that', async () => {
    const { json } = await freshHub();
    await json('send', '--to', 'reviewer', '--kind', 'request', 'please look');
    await json('ask', '--to', 'reviewer', 'yes or no?');
    const shown = await json('agent', 'inspect', 'reviewer');
    expect(shown.inbox).toMatchObject([
      { state: 'ready', attempts: 0 },
      { state: 'ready', attempts: 0 },
    ]);
    const own = await json('get-open-threads', '--as-agent', 'reviewer');
    const ageless = (threads: Record<string, unknown>[]) => threads.map(({ age_seconds: _age, ...thread }) => thread);
    expect(ageless(shown.open)).toEqual(ageless(own.threads));
    expect((await json('agents', 'show', 'reviewer')).inbox).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  });

  it('is revoked, and made again', async () => {
    const { run, json } = await freshHub();
    expect(await json('agents', 'revoke', 'reviewer')).toEqual({ revoked: 'reviewer', tokens: 1, session_id: null });
    expect(await run('send', '--to', 'reviewer', 'hello')).toMatchObject({ code: 1, stderr: expect.stringContaining('was revoked') });
    expect((await json('agents')).agents).toEqual([]);
    await json('agents', 'create', 'reviewer');
    expect((await run('send', '--to', 'reviewer', 'hello')).code).toBe(0);
  });
});
