// `rookery hook <event>` as clients run it: the real program with real standard input, beside a real stdio server, and on every kind of broken hub.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import Database from 'better-sqlite3';
import { beforeAll, expect, it } from 'vitest';
import { HOOKS } from '../../src/clients/hook-events.ts';
import { deadlineOf, patience } from '../../src/clients/hook-program.ts';
import { readConfig } from '../../src/config.ts';
import { openHub } from '../../src/open.ts';
import { readHookDrops } from '../../src/system/hook-drops.ts';
import { start, withoutNativePart } from '../cli/command-line.ts';
import { built } from '../server/http-process.ts';
import { until } from '../support/acts.ts';
import { cleanup, scratch } from '../support/engines.ts';

beforeAll(() => void built());

/** A machine that runs tests is slower than one on which somebody works. */
const PATIENT = ['--within', '30000'];

/** A hub that knows a client's session as an agent, and the project's folder, which is in no repository. */
async function known(session = 'one', project = scratch()) {
  const home = scratch();
  const config = readConfig({ env: { ROOKERY_HOME: home }, cwd: project, flags: {} });
  const hub = await openHub(config);
  cleanup(() => hub.close());
  const client = { name: 'claude-code', version: '2', key: `claude:${session}` };
  const place = { project: config.place.project, root: config.place.workRoot };
  const agent = await hub.sessions.attach({ ...place, door: 'stdio', client });
  const peer = await hub.sessions.attach({ ...place, door: 'stdio', client: { name: 'test', version: '1' }, name: 'peer' });
  const tell = (event: string, words: object | string = {}, more: { args?: string[]; env?: Record<string, string> } = {}) =>
    tellTo(home, event, typeof words === 'string' ? words : { session_id: session, cwd: project, ...words }, more);
  return { home, project, hub, agent, peer, config, tell, session };
}

async function tellTo(home: string, event: string, words: object | string, more: { args?: string[]; env?: Record<string, string> } = {}) {
  const input = typeof words === 'string' ? words : JSON.stringify(words);
  const ended = await start(['hook', event, ...(more.args ?? PATIENT)], { home, input, env: more.env ?? {} }).ended;
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  return ended.stdout;
}

it('tells the model of waiting mail, in a folder without git, and ends with 0', async () => {
  const { hub, agent, peer, tell } = await known();
  expect(await tell('UserPromptSubmit', { prompt_id: 'p' })).toBe('');
  await hub.messages.send(peer, { to: agent.name, body: 'the body', subject: 'look' }, { tool: 'send' });
  const output = JSON.parse(await tell('UserPromptSubmit', { prompt_id: 'q' }));
  expect(output.hookSpecificOutput.additionalContext).toContain('from peer: "look"');
  expect(JSON.parse(await tell('Stop', { prompt_id: 'q' }))).toMatchObject({ decision: 'block' });
  const view = (await hub.agents.list(peer, { waitMs: 0 })).agents.find((one) => one.agent.id === agent.agentId);
  expect(view?.state).toBe('busy');
});

it('takes the event from its words, the hub and the project from its flags', async () => {
  const { home, project, hub, agent, peer, session } = await known();
  await hub.messages.send(peer, { to: agent.name, body: 'x', subject: 'look' }, { tool: 'send' });
  const words = JSON.stringify({ session_id: session, cwd: '/', hook_event_name: 'UserPromptSubmit' });
  const { stdout } = await start(['hook', '--home', home, '--project', project, ...PATIENT], { home: scratch(), input: words }).ended;
  expect(stdout).toContain('look');
  expect(await tellTo(home, 'UserPromptSubmit', { session_id: session, cwd: '/' })).toBe('');
});

it('knows a worktree’s project by the name that the main repository’s own file gives', async () => {
  const base = scratch();
  const [main, tree] = [join(base, 'main'), join(base, 'tree')];
  mkdirSync(join(main, '.rookery'), { recursive: true });
  writeFileSync(join(main, '.rookery', 'config.json'), JSON.stringify({ project: 'team' }));
  for (const words of [
    ['init', '-q'],
    ['commit', '-q', '--allow-empty', '-m', 'first'],
    ['worktree', 'add', '-q', tree, '-b', 'side'],
  ])
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], { cwd: main, stdio: 'ignore' });
  const { hub, agent, peer, config, tell } = await known('one', tree);
  expect(config.place.project.name).toBe('team');
  await hub.messages.send(peer, { to: agent.name, body: 'x', subject: 'look' }, { tool: 'send' });
  expect(await tell('UserPromptSubmit', { prompt_id: 'p' })).toContain('look');
});

it('ends with 0 and without a word however it is called, and whatever of it is missing', async () => {
  const { home, session } = await known();
  const input = JSON.stringify({ session_id: session, cwd: '/' });
  const calls = [
    [],
    ['NoSuchEvent'],
    ['Stop', '--bogus'],
    ['--client'],
    ['Stop', 'Stop', '--within', 'soon'],
    ['Stop', '--project', '/nowhere'],
  ];
  for (const words of calls) expect(await start(['hook', ...words], { home, input }).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  const incomplete = { home, input, main: withoutNativePart() };
  for (const words of [[], ['Stop'], ['--bogus']])
    expect(await start(['hook', ...words], incomplete).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  expect((await start(['hook', '--help'], { home, input }).ended).stdout).toContain('Usage: rookery hook');
});

it('has more patience with a hub that is asked about a command or an edit', async () => {
  const waited = async (event: string, said: Record<string, unknown>) => {
    const slept: number[] = [];
    await patience(900, event, () => said, { sleep: async (ms) => void slept.push(ms) });
    return slept;
  };
  const use = (tool_name: string, tool_input: object) => ({ tool_use_id: 'a', tool_name, tool_input });
  expect(await waited('PreToolUse', use('Bash', { command: 'rm -rf x' }))).toEqual([900, 3_100]);
  expect(await waited('PreToolUse', use('Edit', { file_path: '/x' }))).toEqual([900, 3_100]);
  expect(await waited('PreToolUse', use('Read', { file_path: '/x' }))).toEqual([900]);
  expect(await waited('PostToolUse', use('Bash', { command: 'rm -rf x' }))).toEqual([900]);
  // Its words are still on their way: it may be one.
  expect(await waited('PreToolUse', {})).toEqual([900, 3_100]);
});

it('goes by what is configured', async () => {
  const { home, project, hub, agent, peer, tell } = await known();
  writeFileSync(join(home, 'config.json'), '{"limits":{"hintMessages":1}}');
  for (const subject of ['first', 'second']) await hub.messages.send(peer, { to: agent.name, body: subject, subject }, { tool: 'send' });
  const text = await tell('UserPromptSubmit');
  expect([text.includes('first'), text.includes('second'), text.includes('+1 more queued')]).toEqual([true, false, true]);
  mkdirSync(join(project, '.rookery'));
  writeFileSync(join(project, '.rookery', 'config.json'), '{"nonsense":1}');
  expect(await tell('UserPromptSubmit')).toBe('');
  expect(readHookDrops(home)).toMatchObject([{ event: 'UserPromptSubmit', why: expect.stringContaining('nonsense') }]);
});

it('keeps what was compiled for the next hook, and does not trust it when it is damaged', async () => {
  const { home, tell } = await known();
  const kept = () => readdirSync(join(home, 'cache')).map((name) => join(home, 'cache', name));
  await tell('PostToolUse', { tool_use_id: 'a', tool_name: 'Bash' });
  const [file = '', ...others] = kept();
  expect(others).toEqual([]);
  const good = readFileSync(file);
  await tell('PostToolUse', { tool_use_id: 'b', tool_name: 'Bash' });
  expect(readFileSync(file).equals(good)).toBe(true);
  for (const damage of [
    Buffer.alloc(0),
    good.subarray(0, 1_000),
    Buffer.concat([good.subarray(0, 200_000), Buffer.alloc(64, 'X'), good.subarray(200_064)]),
  ]) {
    writeFileSync(file, damage);
    await tell('PostToolUse', { tool_use_id: 'c', tool_name: 'Bash' });
    expect(readFileSync(file).length).toBeGreaterThan(good.length / 2);
  }
  expect(readHookDrops(home)).toEqual([]);
});

it('makes no hub where none is', async () => {
  const home = join(scratch(), 'none');
  expect(await tellTo(home, 'SessionStart', { session_id: 'x', cwd: '/' })).toBe('');
  expect(existsSync(home)).toBe(false);
  const empty = scratch();
  expect(await tellTo(empty, 'Stop', { session_id: 'x', cwd: '/' })).toBe('');
  expect(existsSync(join(empty, 'hub.db'))).toBe(false);
});

it('is silent and counts what it could not tell, whatever is wrong with the hub', async () => {
  const { home, hub, config, tell } = await known();
  expect(await tell('Stop', 'this is no JSON')).toBe('');
  const raw = new Database(config.databasePath);
  const version = Number(raw.pragma('user_version', { simple: true }));
  raw.exec('BEGIN IMMEDIATE');
  expect(await tell('PostToolUse', { tool_use_id: 'a', tool_name: 'Bash' }, { args: ['--within', '300'] })).toBe('');
  raw.exec('ROLLBACK');
  raw.pragma(`user_version = ${version + 1}`);
  expect(await tell('Stop')).toBe('');
  raw.pragma(`user_version = ${version - 1}`);
  expect(await tell('Stop')).toBe('');
  raw.close();
  await hub.close();
  truncateSync(config.databasePath, 5_000);
  writeFileSync(config.databasePath, 'not a database at all', { flag: 'r+' });
  expect(await tell('Stop')).toBe('');
  expect(readHookDrops(home).map(({ event, why }) => [event, why.replace(config.databasePath, 'DB')])).toEqual([
    ['Stop', 'its input is not JSON'],
    ['PostToolUse', 'the hub did not answer in time'],
    ['Stop', expect.stringContaining('newer Rookery')],
    ['Stop', expect.stringContaining('has not been brought')],
    ['Stop', expect.any(String)],
  ]);
  expect(readFileSync(config.databasePath, 'latin1').startsWith('not a database')).toBe(true);
});

it('waits longest for what is told once, and below what clients wait for it', () => {
  expect(deadlineOf('PostToolUse')).toBeLessThan(1_000);
  for (const { event, timeoutSeconds } of Object.values(HOOKS).flat()) expect(deadlineOf(event)).toBeLessThan(timeoutSeconds * 1_000);
  expect(deadlineOf('Stop')).toBeGreaterThan(deadlineOf('PostToolUse'));
});

it('waits for nobody who never ends their words', async () => {
  const { home } = await known();
  const run = start(['hook', 'Stop', '--within=100'], { home });
  run.write('{"session_id":');
  expect((await run.ended).code).toBe(0);
  expect(readHookDrops(home)).toMatchObject([{ why: 'the hub did not answer in time' }]);
});

it('makes an agent present from its client’s start, keeps it through clear and resume, and ends it with its client', async () => {
  const { home, project, hub, peer } = await known('other');
  const client = new Client({ name: 'claude-code', version: '2' });
  const args = [built(), 'stdio', '--home', home];
  const env = { PATH: process.env.PATH ?? '', HOME: home, CLAUDE_CODE_SESSION_ID: 'a-fresh-one' };
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, cwd: project, stderr: 'ignore' }));
  cleanup(() => client.close());
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).not.toContain('hook');
  const others = async () =>
    (await hub.agents.list(peer, { waitMs: 0 })).agents.filter(({ agent }) => agent.client === 'claude-code' && agent.name !== first);
  const first = (await hub.agents.list(peer, { waitMs: 0 })).agents.find(({ agent }) => agent.client === 'claude-code')?.agent.name;
  expect(await others()).toEqual([]);
  // The parent of the server is the parent of the hook, too: this process plays the client.
  const tell = (event: string, session: string, words: object = {}) => tellTo(home, event, { session_id: session, cwd: project, ...words });
  await tell('SessionStart', 'resumed', { source: 'startup' });
  await until(async () => (await others()).length === 1);
  const name = (await others())[0]?.agent.name ?? '';
  await until(async () => (await stateOf(hub, peer, name)) === 'idle');
  await tell('UserPromptSubmit', 'resumed', { prompt_id: 'p' });
  expect(await stateOf(hub, peer, name)).toBe('busy');
  const hooked = (await client.callTool({
    name: 'hook',
    arguments: { event: 'Stop', session_id: 'resumed', prompt_id: 'p', stop_hook_active: 'false' },
  })) as { content: { text: string }[]; structuredContent?: unknown };
  expect([hooked.content[0]?.text, hooked.structuredContent]).toEqual(['{}', undefined]);
  expect(await stateOf(hub, peer, name)).toBe('idle');
  await tell('SessionEnd', 'resumed', { reason: 'clear' });
  await tell('SessionStart', 'cleared', { source: 'clear' });
  const me = (await client.callTool({ name: 'whoami' })) as { structuredContent?: { name?: string } };
  expect(me.structuredContent?.name).toBe(name);
  await tell('SessionEnd', 'cleared', { reason: 'prompt_input_exit' });
  expect(await stateOf(hub, peer, name)).toBe('gone');
});

async function stateOf(hub: Awaited<ReturnType<typeof known>>['hub'], peer: Awaited<ReturnType<typeof known>>['peer'], name: string) {
  const { agents } = await hub.agents.list(peer, { waitMs: 0 });
  return agents.find(({ agent }) => agent.name === name)?.state;
}

const preToolUse = (tool: string, input: object, id = 'toolu_1') => ({
  prompt_id: 'p',
  tool_name: tool,
  tool_use_id: id,
  tool_input: input,
});
const decision = (output: string) => JSON.parse(output || '{}').hookSpecificOutput;

it('holds a risky command back until a person approves exactly it, and lets it pass once', async () => {
  const { hub, config, tell } = await known();
  const push = (id: string) => preToolUse('Bash', { command: 'git push --force origin main', description: 'Push' }, id);
  const held = decision(await tell('PreToolUse', push('toolu_1')));
  expect(held).toMatchObject({ hookEventName: 'PreToolUse', permissionDecision: 'deny' });
  const id = /apr_\w+/.exec(held.permissionDecisionReason)?.[0] ?? '';
  expect(decision(await tell('PreToolUse', push('toolu_2'))).permissionDecisionReason).toContain(id);
  const operator = await hub.projects.operator(config.place.project, 'cli');
  await hub.approvals.decide(operator, id, { state: 'approved' }, { tool: 'decide_approval' });
  for (let again = 0; again < 2; again++)
    expect(decision(await tell('PreToolUse', push('toolu_3')))).toMatchObject({ permissionDecision: 'allow' });
  expect(decision(await tell('PreToolUse', push('toolu_4')))).toMatchObject({ permissionDecision: 'deny' });
  expect(await tell('PreToolUse', preToolUse('Bash', { command: 'npm test' }, 'toolu_5'))).toBe('');
});

it('keeps an agent from a file that another holds, and only warns where it is configured so', async () => {
  const { home, project, hub, peer, tell } = await known();
  await hub.reservations.reserve(
    peer,
    { paths: [join(project, 'src')], names: [], mode: 'exclusive', reason: 'moving it' },
    { tool: 'reserve' },
  );
  const edit = (path: string) => preToolUse('Edit', { file_path: join(project, path), old_string: 'a', new_string: 'b' });
  expect(decision(await tell('PreToolUse', edit('src/a.ts')))).toMatchObject({
    permissionDecision: 'deny',
    permissionDecisionReason: expect.stringMatching(/src\/a\.ts is reserved exclusively by peer .* "moving it"/),
  });
  expect(await tell('PreToolUse', edit('docs/a.md'))).toBe('');
  expect(await tell('PreToolUse', preToolUse('Read', { file_path: join(project, 'src/a.ts') }))).toBe('');
  writeFileSync(join(home, 'config.json'), JSON.stringify({ guard: { edits: 'warn' } }));
  expect(decision(await tell('PreToolUse', edit('src/b.ts')))).toMatchObject({
    additionalContext: expect.stringContaining('is reserved exclusively'),
  });
});

it('refuses commands and edits of a broken hub only where the operator wants it closed', async () => {
  const { home, config, tell, hub } = await known();
  await hub.close();
  writeFileSync(config.databasePath, 'no database');
  const uses = [
    preToolUse('Bash', { command: 'ls' }),
    preToolUse('Write', { file_path: '/x', content: '' }),
    preToolUse('Read', { file_path: '/x' }),
  ];
  for (const use of uses) expect(await tell('PreToolUse', use)).toBe('');
  writeFileSync(join(home, 'config.json'), JSON.stringify({ guard: { whenBroken: 'closed' } }));
  const answers = [];
  for (const use of uses) answers.push(decision(await tell('PreToolUse', use))?.permissionDecision);
  expect(answers).toEqual(['deny', 'deny', undefined]);
  expect(await tell('UserPromptSubmit', { prompt_id: 'p' })).toBe('');
  writeFileSync(join(home, 'config.json'), '{broken');
  expect(await tell('PreToolUse', preToolUse('Bash', { command: 'ls' }))).toBe('');
});
