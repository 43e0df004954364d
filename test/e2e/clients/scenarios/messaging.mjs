// Agents in print mode and over HTTP: a Claude Code and a Codex over stdio talk to each other through one database, a second Claude Code joins
// over HTTP with a token, names survive a resumed thread, asks outlive the turn that asked.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { runClaude } from '../claude.mjs';
import { runCodex } from '../codex.mjs';
import { stdio as entry, rookery as hub, MAIN } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude as claudeModel } from '../scripted-claude.mjs';
import { scriptedCodex as codexModel } from '../scripted-codex.mjs';
import { call, steps } from '../view.mjs';

const scriptedClaude = (list) => claudeModel(steps(list));
const scriptedCodex = (list) => codexModel(steps(list));
const resultsOf = (model) => model.turns().at(-1)?.allResults ?? [];

export async function messaging({ clients, base, cwd }) {
  title('Claude Code and Codex talk in print mode and over HTTP');
  const home = join(base, 'hub');
  const place = { clients, base, cwd, home, rookery: hub({ hub: home, cwd }).call, stdio: (agent) => entry(home, agent) };
  await claudeAndCodex(place);
  await resumedName(place);
  await askAcrossRuns(place);
  await probesLeaveNoTrace(place);
  await thirdOverHttp(place);
  const verified = await place.rookery('verify', '--json');
  check('verify is green', verified.code === 0, verified);
}

/** `required`: Codex then waits for the server before its first turn, however busy this machine is. */
const codexServer = ({ args }) => `{command=${JSON.stringify(process.execPath)},args=${JSON.stringify(args)},required=true}`;

async function claudeAndCodex({ clients, base, cwd, stdio }) {
  const ada = await scriptedClaude([
    call('whoami'),
    call('list_agents', { wait_for: ['cody'], wait_seconds: 45 }),
    call('send', { to: 'cody', body: 'Please review src/parser.ts', kind: 'request', idempotency_key: 'ask-1' }),
    call('recv_batch', { wait_seconds: 45 }),
    (last) => ({ tool: 'ack', input: { receipt: last.receipt } }),
    (_last, all) => ({ tool: 'message_status', input: { message_id: all[2].message_id } }),
  ]);
  const cody = await scriptedCodex([
    call('whoami'),
    call('recv_batch', { wait_seconds: 45 }),
    (last) => ({ tool: 'send', input: { to: 'ada', body: 'Reviewed: fine.', in_reply_to: last.messages?.[0]?.id } }),
    call('recv_batch', { wait_seconds: 1 }),
  ]);
  const [claude, codex] = await Promise.all([
    runClaude(clients.claude, { home: join(base, 'ada'), cwd, port: ada.port, servers: { hub: stdio('ada') } }),
    runCodex(clients.codex, {
      home: join(base, 'cody'),
      cwd,
      port: cody.port,
      server: codexServer(stdio('cody')),
    }),
  ]);
  ada.close();
  cody.close();
  const [me, peers, sent, answer, acked, status] = resultsOf(ada);
  const [codexMe, request, reply] = resultsOf(cody);
  check('Claude Code ran to its end', claude.code === 0 && resultsOf(ada).length === 6, {
    code: claude.code,
    err: claude.err,
    results: resultsOf(ada),
  });
  check('Codex ran to its end', codex.code === 0 && resultsOf(cody).length === 4, {
    code: codex.code,
    err: codex.err,
    results: resultsOf(cody),
  });
  check('Claude Code is ada, by configuration', me?.name === 'ada' && me?.client === 'claude-code', me);
  check('Codex is cody, in the same project', codexMe?.name === 'cody' && codexMe?.project === me?.project, codexMe);
  check('ada waited until cody was there', peers?.missing?.length === 0, peers);
  check('the send was accepted and cody reachable', sent?.recipients?.[0]?.reachable === true, sent);
  check(
    'cody was woken with the request',
    request?.messages?.[0]?.body === 'Please review src/parser.ts' && request.messages[0].expects_reply === true,
    request,
  );
  check('cody replied in the thread', sent?.thread_id !== undefined && reply?.thread_id === sent.thread_id, reply);
  check(
    'ada was woken with the reply',
    answer?.messages?.[0]?.body === 'Reviewed: fine.' && answer.messages[0].in_reply_to === sent?.message_id,
    answer,
  );
  check('ada acknowledged it', acked?.acked?.length === 1 && acked.acked[0] === answer?.messages?.[0]?.id, acked);
  check(
    'the request is acknowledged by the reply, and done',
    status?.recipients?.[0]?.state === 'acked' && status.recipients[0].acked_by === 'reply' && status.recipients[0].done_at !== null,
    status,
  );
}

async function thirdOverHttp({ clients, base, cwd, home, rookery }) {
  const token = JSON.parse((await rookery('token', 'create', '--agent', 'webby', '--json')).out);
  const server = spawn(process.execPath, [MAIN, 'serve', '--home', home, '--port', '0'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await listening(server);
    await rookery('send', '--to', 'webby', '--body', 'Welcome, say hello to ada.');
    const webby = await scriptedClaude([
      call('whoami'),
      call('recv_batch', { wait_seconds: 10 }),
      call('send', { to: 'ada', body: 'Hello from HTTP.' }),
      (_last, all) => ({ tool: 'recv_batch', input: { ack: all[1].receipt } }),
    ]);
    const claude = await runClaude(clients.claude, {
      home: join(base, 'webby'),
      cwd,
      port: webby.port,
      servers: { hub: { type: 'http', url: `${url}/mcp`, headers: { Authorization: `Bearer ${token.token}` } } },
    });
    webby.close();
    const [me, inbox, sent, after] = resultsOf(webby);
    check('a third Claude Code ran over HTTP', claude.code === 0 && resultsOf(webby).length === 4, {
      code: claude.code,
      err: claude.err,
      results: resultsOf(webby),
    });
    check('it is webby, by its token', me?.name === 'webby' && me?.door === 'http', me);
    check('it was shown the operator’s words as a person’s', inbox?.messages?.[0]?.authority === 'human', inbox);
    check('it reached ada', sent?.recipients?.[0]?.name === 'ada', sent);
    check('its receipt acknowledged the batch', after?.acked === 1 && after?.messages?.length === 0, after);
  } finally {
    server.kill('SIGTERM');
    check('the server stopped cleanly', (await new Promise((done) => server.once('close', done))) === 0, server.exitCode);
  }
}

function listening(server) {
  return new Promise((done, fail) => {
    let text = '';
    server.stdout.on('data', (data) => {
      text += data;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (url !== undefined) done(url);
    });
    server.once('close', () => fail(new Error(`serve ended: ${text}`)));
  });
}

/** Codex tells its thread with each call: resuming the thread keeps the name that the hub once made up. */
async function resumedName({ clients, base, cwd, stdio }) {
  const names = [];
  for (const resume of [[], ['resume', '--last']]) {
    const model = await scriptedCodex([call('whoami'), ...(resume.length === 0 ? [] : [call('whoami')])]);
    const server = codexServer(stdio());
    await runCodex(clients.codex, { home: join(base, 'resumed'), cwd, port: model.port, server, resume });
    model.close();
    names.push(resultsOf(model).at(-1)?.name);
  }
  check('a generated name is readable', /^codex-[a-z]+-[a-z]+$/.test(names[0] ?? ''), names);
  check('it survives resuming the thread', names[0] !== undefined && names[0] === names[1], names);
}

/** An ask outlives the turn that asked it: the answer waits in the inbox of the same identity. */
async function askAcrossRuns({ clients, base, cwd, rookery, stdio }) {
  const ask = async (script) => {
    const model = await scriptedClaude(script);
    await runClaude(clients.claude, { home: join(base, 'asker'), cwd, port: model.port, servers: { hub: stdio('asker') } });
    model.close();
    return resultsOf(model);
  };
  const [asked, open] = await ask([
    call('ask', { to: 'operator', question: 'Ship it?', options: ['yes', 'no'] }),
    call('get_open_threads'),
  ]);
  check('Claude Code asked the operator and ended its turn', asked?.state === 'open', asked);
  check(
    'the ask is an open thread',
    open?.threads?.some((one) => one.kind === 'ask_out' && one.id === asked.ask_id),
    open,
  );
  const listed = JSON.parse((await rookery('asks', '--json')).out).asks;
  check(
    'the operator sees the ask',
    listed.some((one) => one.ask_id === asked?.ask_id && one.question === 'Ship it?'),
    listed,
  );
  const answered = await rookery('answer', asked?.ask_id ?? '', 'yes, today');
  check('the operator answers from the command line', answered.code === 0, answered);
  const [inbox, after] = await ask([call('recv_batch'), call('get_open_threads')]);
  check(
    'a later run under the same name finds the answer',
    inbox?.messages?.some((one) => one.ref === asked?.ask_id && one.body === 'yes, today' && one.authority === 'human'),
    inbox,
  );
  check(
    'the ask is no longer open',
    after?.threads?.every((one) => one.id !== asked?.ask_id),
    after,
  );
}

async function probesLeaveNoTrace({ clients, base, cwd, rookery, stdio }) {
  const model = await scriptedClaude([call('whoami')]);
  const before = JSON.parse((await rookery('agents', '--json')).out).agents.length;
  const env = {
    PATH: process.env.PATH,
    HOME: join(base, 'ada'),
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${model.port}`,
    ANTHROPIC_API_KEY: 'sk-ant-dummy',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
  await run(clients.claude, ['mcp', 'add', 'hub', '--', process.execPath, ...stdio().args], { env, cwd });
  const list = await run(clients.claude, ['mcp', 'list'], { env, cwd });
  model.close();
  const after = JSON.parse((await rookery('agents', '--json')).out).agents.length;
  check('claude mcp list finds the hub healthy', /hub.*Connected/s.test(list.out), list.out);
  check('a probe never becomes an agent', before === after, { before, after });
}
