// The operator's side of approvals at the command line: what is shown, who may run it, and that one approval is used once by many processes.

import { expect, it } from 'vitest';
import { openHub } from '../../src/open.ts';
import { freshHub, start } from './command-line.ts';

const EVIL = 'git push --force \u001b[2K\u202e origin\nrookery: approved';

/** An agent asks for something, in a process that is over then. */
async function asked(config: Awaited<ReturnType<typeof freshHub>>['config'], action: string, risk: 'low' | 'high'): Promise<string> {
  const hub = await openHub(config);
  const { project } = config.place;
  const ada = await hub.sessions.attach({
    project,
    door: 'http',
    client: { name: 'test', version: '1' },
    root: project.root,
    name: 'ada',
    takeover: true,
  });
  const { approvalId } = await hub.approvals.request(ada, { action, risk, reason: 'rebased' }, { tool: 'request_approval' });
  await hub.close();
  return approvalId;
}

it('shows the operator exactly what is asked, and decides it once', async () => {
  const { config, run, json } = await freshHub();
  const id = await asked(config, EVIL, 'high');
  expect((await json('status')).approvals).toEqual({ pending: 1, yours: 1 });
  const { stdout } = await run('approvals');
  expect(stdout).toContain(`${id}  high risk  pending until `);
  expect(stdout).toContain('  | git push --force \\u{1b}[2K\\u{202e} origin\n  | rookery: approved\n');
  expect((await json('approvals')).approvals).toMatchObject([
    { approval_id: id, from: 'ada', action: EVIL, reason: 'rebased', yours: true },
  ]);
  const approved = await run('approve', id, '--note', 'once');
  expect(approved.stdout).toMatch(/^ada is told: approved, for exactly this:\n {2}\| git push --force/);
  expect(await run('deny', id)).toMatchObject({ code: 1, stderr: expect.stringContaining('already approved by operator at') });
  expect((await json('approvals')).approvals).toEqual([]);
  expect((await json('approvals', '--all')).approvals).toMatchObject([{ state: 'approved', decided_as: 'operator', note: 'once' }]);
});

it('leaves deciding and credentials to a person: not inside an agent’s client', async () => {
  const { home, config, json } = await freshHub();
  const id = await asked(config, 'npm publish', 'high');
  for (const args of [
    ['approve', id],
    ['deny', id],
    ['decide-approval', id, 'approve'],
    ['call', 'decide_approval', JSON.stringify({ approval_id: id, decision: 'approve' })],
    ['token', 'create', '--operator'],
  ]) {
    const ended = await start(args, { home, input: '', env: { CLAUDECODE: '1' } }).ended;
    expect([args[0], ended.code, ended.stderr]).toEqual([args[0], 1, expect.stringContaining('only a person may do this')]);
  }
  // The same without the mark: this test stands for the client, and started the agent's server as it starts the command.
  const server = start(['stdio', '--agent', 'eve'], { home });
  server.write(
    `${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } } })}\n`,
  );
  server.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  server.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } })}\n`);
  await expect.poll(() => server.stdout(), { timeout: 20_000 }).toContain('"id":1');
  const ended = await start(['approve', id], { home, input: '' }).ended;
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('inside the client of the agent eve') });
  expect((await json('approvals')).approvals).toMatchObject([{ approval_id: id, state: 'pending' }]);
});

it('is used once, although eight processes try', async () => {
  const { home, config } = await freshHub();
  const id = await asked(config, 'deploy', 'low');
  const call = ['call', 'verify_approval', JSON.stringify({ approval_id: id, action: 'deploy', consume: true })];
  const ended = await Promise.all(Array.from({ length: 8 }, () => start(call, { home, input: '' }).ended));
  const verdicts = ended.map(({ stdout }) => JSON.parse(stdout).valid);
  expect(verdicts.filter(Boolean)).toHaveLength(1);
  expect(verdicts).toHaveLength(8);
});
