// Secrets and words that are seeded, and searched for in everything that comes out: what every command prints, logs, metrics, traces, the API's
// description, exports, backups, the page and its data, errors, the doctor, the settings. A secret is shown once, by what makes it; words are shown by
// what shows words, and nowhere beside it.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, expect, it, vi } from 'vitest';
import { views } from '../../src/views/index.ts';
import { start } from '../cli/command-line.ts';
import { ask } from '../server/http-hub.ts';
import { built, MAIN, serveProcess } from '../server/http-process.ts';
import { receiveOtlp } from '../server/otlp-receiver.ts';
import { ROUTES } from '../server/routes.ts';
import { cleanup } from '../support/engines.ts';
import { everyCommand, filesIn, Lab, said, seed } from './lab.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** What is put into the environment of every process here, and has to stay there. */
const GIVEN = {
  ANTHROPIC_API_KEY: `sk-ant-${seed('anthropic')}`,
  GITHUB_TOKEN: `ghp_${seed('github')}`,
  AWS_SECRET_ACCESS_KEY: seed('aws'),
  NPM_TOKEN: `npm_${seed('npm')}`,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=${seed('otlp')}`,
  ROOKERY_URL: `http://user:${seed('url')}@127.0.0.1:7420`,
};
const secretPart = (value: string) => /SEED\w+/.exec(value)?.[0] ?? value;

const HEX = /[\w+/=-]{20,}/;
const TOKEN = /rookery_[\w-]{20,}/;
const WEBHOOK = /whsec_[\w+/=]{20,}/;

it('keeps every secret to the one output that makes it, and every word to what shows words', { timeout: 300_000 }, async () => {
  built();
  const otlp = await receiveOtlp();
  for (const [name, value] of Object.entries(GIVEN)) vi.stubEnv(name, value);
  const lab = new Lab();
  for (const [name, value] of Object.entries(GIVEN)) lab.secrets.set(`${name} of the environment`, secretPart(value));
  const { home } = lab;
  const env = { ...GIVEN, OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_METRIC_EXPORT_INTERVAL: '500' };
  const server = await serveProcess(home, [], env);

  const token = await lab.make('an agent’s token', TOKEN, 'token', 'create', '--agent', 'ada');
  const gone = await lab.make('a revoked token', TOKEN, 'token', 'create', '--agent', 'gone');
  const operator = await lab.make('the operator’s token', TOKEN, 'token', 'create', '--operator');
  const enrolment = await lab.make('an enrolment', /enrol_[\w-]{20,}/, 'agents', 'create', 'newcomer', '--print', 'claude');
  const unused = await lab.make('an unused enrolment', /enrol_[\w-]{20,}/, 'agents', 'create', 'later', '--print', 'codex');
  await lab.make('the secret of a wake webhook', WEBHOOK, 'agents', 'wake', 'ada', '--webhook', 'https://hooks.example/wake');
  const link = await said(home, 'dashboard', '--url', server.url, '--json');
  const code = /rookery_[\w-]{20,}|#[\w-]{20,}/.exec(link)?.[0].replace('#', '') ?? '';
  lab.secrets.set('the code of a sign-in link', code);
  const signed = await ask(server.url, '/sign-in', { method: 'POST', body: JSON.stringify({ code }) });
  const { proof } = JSON.parse(signed.text) as { proof: string };
  const cookie = String(signed.headers['set-cookie']).split(';')[0] ?? '';
  lab.secrets.set('the cookie of a browser', cookie.split('=')[1] ?? '').set('the proof of a browser', proof);
  const opened = await said(home, 'call', 'create_task', JSON.stringify({ title: 'outside', external: true }));
  lab.secrets.set('the secret of a task', WEBHOOK.exec(opened)?.[0] ?? '');
  for (const [what, secret] of lab.secrets) expect([what, HEX.test(secret) || secret.startsWith('SEED')]).toEqual([what, true]);

  // What agents and people write, by the command line and over HTTP.
  const sent = await lab.json('send', '--to', 'ada', '--subject', lab.word('subject'), lab.word('message'));
  const call = async (name: string, args: object, secret = token) => {
    const { text } = await ask(server.url, `/api/${name}`, { method: 'POST', token: secret, body: JSON.stringify(args) });
    lab.took(`POST /api/${name}`, text, true);
    return JSON.parse(text) as Record<string, string>;
  };
  const { ask_id } = await call('ask', { to: 'operator', question: lab.word('question') });
  const { reminder_id } = await call('remind', { message: lab.word('reminder'), in_seconds: 3_600 });
  const { approval_id } = await call('request_approval', {
    action: `deploy ${lab.word('action')}`,
    risk: 'high',
    reason: lab.word('reason'),
  });
  const task = await lab.json('task', 'create', lab.word('title'), '--body', lab.word('task'), '--assignee', 'ada');
  await call('save_checkpoint', { current_task: lab.word('checkpoint') });
  await call('put_document', { name: 'notes', body: lab.word('document') });
  await call('join', { status: lab.word('status'), description: lab.word('description') });
  await call('recv_batch', {});
  // Errors, and secrets where they do not belong.
  for (const where of [gone, token, unused]) {
    await call('send', { to: where, body: lab.word('refused message') });
    await call('ack', { receipt: where });
    await call('get_message', { message_id: where });
    for (const path of [`/${where}`, `/api/${where}`, `/api/whoami?token=${where}`, `/api/views/${where}`, `/events?after=${where}`])
      for (const method of ['GET', 'POST'])
        for (const headers of [{}, { authorization: `Basic ${where}` }, { authorization: `Bearer ${operator}` }, { cookie: where }])
          lab.took(`${method} ${path.replace(where, '...')}`, (await ask(server.url, path, { method, headers, body: '{}' })).text);
    for (const method of ['tools/call', where]) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: where, method, params: { name: where, arguments: { [where]: where } } });
      await ask(server.url, '/mcp', {
        method: 'POST',
        token,
        headers: { 'content-type': 'application/json', 'mcp-session-id': where },
        body,
      });
    }
  }
  await lab.run('token', 'revoke', (await lab.json('token', 'list')).tokens?.[0] ?? 'tok_none');
  await withStdio(lab, env, { ...(enrolment === '' ? {} : { ROOKERY_ENROL: enrolment }) });
  await throughHooks(lab, env);

  // Every route and view, as the operator and in a browser.
  for (const headers of [{ authorization: `Bearer ${operator}` }, { cookie, 'rookery-proof': proof }])
    for (const { asks } of Object.values(ROUTES))
      for (const [method, path] of asks) {
        const { text } = await ask(server.url, path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) });
        lab.took(`${method} ${path}`, text, path.startsWith('/api/') || path === '/events');
        if (path === '/sign-out') break;
      }
  for (const { name } of views) lab.took(`view ${name}`, (await ask(server.url, `/api/views/${name}`, { token: operator })).text, true);

  await everyCommand(lab, {
    message: sent.message_id ?? '',
    ask: ask_id ?? '',
    reminder: reminder_id ?? '',
    approval: approval_id ?? '',
    task: task.task_id ?? '',
  });
  await withSecretsGiven(lab);
  server.child.kill('SIGTERM');
  await server.exited;
  lab.took('what serve printed', server.stdout() + server.stderr());
  for (const { path, body } of otlp.requests) lab.took(`OTLP ${path}`, body.toString('latin1'));
  expect(otlp.requests.length).toBeGreaterThan(1);
  filesOf(lab);
  expect(lab.outputs.length).toBeGreaterThan(300);
  expect(lab.findings()).toEqual([]);
});

/** An agent in a client of its own, with the enrolment in its environment: what its server says, and what it answers to nonsense. */
async function withStdio(lab: Lab, env: Record<string, string>, more: Record<string, string>): Promise<void> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'stdio', '--home', lab.home, '--project', 'demo'],
    env: { PATH: process.env.PATH ?? '', HOME: lab.home, ...env, ...more },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (part) => {
    stderr += part;
  });
  const client = new Client({ name: 'test-client', version: '1' });
  await client.connect(transport);
  cleanup(() => client.close());
  lab.took('tools/list', JSON.stringify(await client.listTools()));
  lab.took('initialize', JSON.stringify([client.getServerVersion(), client.getInstructions()]));
  for (const args of [{}, { to: 'ada', body: lab.word('letter') }, { to: 7 }])
    lab.took('tools/call send', JSON.stringify(await client.callTool({ name: 'send', arguments: args })));
  for (const name of ['whoami', 'recv_batch', 'get_open_threads', 'load_checkpoint'])
    lab.took(`tools/call ${name}`, JSON.stringify(await client.callTool({ name, arguments: {} })), true);
  for (const { uri } of (await client.listResources()).resources)
    lab.took(`resource ${uri}`, JSON.stringify(await client.readResource({ uri }).catch(String)), true);
  await client.close();
  lab.took('what stdio logged', stderr);
}

/** What the hooks of a client are told of its work: prompts, commands, edits. They go into the hub as digests. */
async function throughHooks(lab: Lab, env: Record<string, string>): Promise<void> {
  const common = { session_id: 'hooked', cwd: lab.home, permission_mode: 'default', transcript_path: '/none' };
  const [prompt, command] = [lab.word('prompt'), lab.word('command')];
  const tool = { tool_name: 'Bash', tool_use_id: 'toolu_1', tool_input: { command: `curl -H "x: ${command}" https://x.example` } };
  for (const [event, more] of [
    ['SessionStart', { source: 'startup' }],
    ['UserPromptSubmit', { prompt }],
    ['PreToolUse', tool],
    ['PostToolUse', { ...tool, tool_response: { stdout: lab.word('tool output') } }],
    ['Stop', {}],
  ] as const) {
    const input = JSON.stringify({ ...common, hook_event_name: event, ...more });
    const args = ['hook', event, '--home', lab.home, '--project', 'demo', '--within=20000'];
    const { stdout, stderr } = await start(args, { home: lab.home, input, env }).ended;
    lab.took(`hook ${event}`, stdout + stderr, event !== 'PreToolUse' && event !== 'PostToolUse');
  }
  const stored = filesIn(lab.home).filter(({ path }) => /hub\.db/.test(path));
  for (const { path, text } of stored)
    for (const what of ['prompt', 'command', 'tool output'])
      expect([what, path, text.includes(lab.words.get(what) ?? '?')]).toEqual([what, path, false]);
}

/** What is put in by the environment to be used, where it is wrong or leads nowhere. */
async function withSecretsGiven(lab: Lab): Promise<void> {
  const given = {
    ROOKERY_DATABASE_URL: 'postgres://user:pa@SEEDdatabase9Zq7w@127.0.0.1:1/none',
    ROOKERY_TOKEN: 'rookery_SEEDtoken99999Zq7w',
    ROOKERY_ENROL: 'enrol_SEEDenrol99999Zq7w',
  };
  for (const [name, value] of Object.entries(given)) {
    vi.stubEnv(name, value);
    lab.secrets.set(name, secretPart(value));
  }
  for (const line of ['config show --explain', 'config show databaseUrl', 'config show token'])
    for (const more of [[], ['--json']]) await lab.run(...line.split(' '), ...more);
  for (const line of ['status', 'doctor --json']) await lab.run(...line.split(' ')); // no server is there: each waits for one
}

/** What stays on the disk. The hub keeps hashes of what it only has to know again; a secret by which it signs is in the database, and in its copies. */
function filesOf(lab: Lab): void {
  const kept = ['the secret of a wake webhook', 'the secret of a task'].map((what) => lab.secrets.get(what) ?? '');
  for (const { path, text } of filesIn(lab.home)) {
    const isDatabase = /\.db(-wal|-shm)?$/.test(path);
    lab.took(
      `the file ${path}`,
      isDatabase ? kept.reduce((rest, one) => rest.replaceAll(one, ''), text) : text,
      isDatabase || path.endsWith('.ndjson'),
    );
  }
}
