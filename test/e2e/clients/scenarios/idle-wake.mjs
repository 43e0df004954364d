// An idle agent is woken by mail: Claude Code sends to Codex, which sits idle in its terminal; Codex starts a turn and reads; its answer wakes
// the idle Claude Code. Measured from the moment a model asks for the send to the first model request on the other side, beside what the
// client's own door costs without the hub in the same run.

import { createConnection } from 'node:net';
import { queue } from '../codex.mjs';
import { until } from '../process.mjs';
import { check, figure, inWords, spread, title } from '../report.mjs';

const ROUNDS = Number(process.env.ROOKERY_E2E_ROUNDS ?? 20);
const FLOOR_ROUNDS = Math.min(ROUNDS, 10);

export async function idleWake(stage) {
  title('An idle agent is woken by mail, in both directions');
  const { claude, codex } = stage.agents;
  const there = [];
  const back = [];
  let seen = { ping: 0, pong: 0 };
  for (let round = 1; round <= ROUNDS; round += 1) {
    const one = await pingPong(stage, round);
    if (one.there !== undefined) there.push(one.there);
    if (one.back !== undefined) back.push(one.back);
    seen = { ping: seen.ping + (one.ping ? 1 : 0), pong: seen.pong + (one.pong ? 1 : 0), last: one };
  }
  check(`Codex, idle in its terminal, began a turn and read the message, ${ROUNDS} times`, seen.ping === ROUNDS, seen);
  check(`the answer woke the idle Claude Code, which read it, ${ROUNDS} times`, seen.pong === ROUNDS, seen);
  const floors = { codex: await queueFloor(stage, codex), claude: await socketFloor(stage, claude) };
  figure(`send to first model request, Claude Code to Codex: ${inWords(spread(there))}`);
  figure(`floor, \`codex queue\` alone:                        ${inWords(spread(floors.codex))}`);
  figure(`send to first model request, Codex to Claude Code: ${inWords(spread(back))}`);
  figure(`floor, a bare post to the session's socket:        ${inWords(spread(floors.claude))}`);
  check('both floors were measured', floors.codex.length === FLOOR_ROUNDS && floors.claude.length === FLOOR_ROUNDS, floors);
  const woken = (await stage.presence()).filter(({ name }) => name === claude.name || name === codex.name);
  check(
    'list_agents names the door by which each was last proven to be woken',
    woken.length === 2 && woken.every(({ wake }) => wake?.proven_at !== undefined && wake.door !== 'none'),
    woken,
  );
}

async function pingPong(stage, round) {
  const { claude, codex } = stage.agents;
  await Promise.all([stage.idle(claude), stage.idle(codex)]);
  const found = {};
  const start = { claude: claude.model.seen.length, codex: codex.model.seen.length };
  let asked;
  let answered;
  codex.model.script = async (view) => {
    if (view.results.length === 0) return { tool: 'recv_batch' };
    const message = view.results[0].messages?.find(({ subject }) => subject === `Ping ${round}`);
    if (view.results.length > 1 || message === undefined) return { text: 'Answered.' };
    found.ping = true;
    await stage.idle(claude);
    answered = Date.now();
    return { tool: 'send', input: { to: claude.name, body: `pong ${round}`, in_reply_to: message.id } };
  };
  let sent = false;
  claude.model.script = (view) => {
    if (!sent) {
      sent = true;
      asked = Date.now();
      return { tool: 'send', input: { to: codex.name, subject: `Ping ${round}`, body: 'Please answer.', kind: 'request' } };
    }
    if (answered === undefined) return { text: 'Sent.' };
    if (view.results.length === 0) return { tool: 'recv_batch' };
    const reply = view.results[0].messages?.find(({ body }) => body === `pong ${round}`);
    if (view.results.length > 1 || reply === undefined) return { text: 'Read.' };
    found.pong = true;
    return { tool: 'ack', input: { receipt: view.results[0].receipt } };
  };
  await claude.terminal.type(`Send ping ${round}.`);
  await until(() => found.pong, { seconds: 30 });
  await Promise.all([stage.idle(claude), stage.idle(codex)]);
  const first = (agent, from, since) => agent.model.seen.slice(from).find(({ kind, at }) => kind === 'turn' && at >= since);
  const woke = asked === undefined ? undefined : first(codex, start.codex, asked);
  const wokeBack = answered === undefined ? undefined : first(claude, start.claude, answered);
  return { ...found, there: woke && woke.at - asked, back: wokeBack && wokeBack.at - answered };
}

/** `codex queue` with nothing around it: how fast Codex itself can be woken. */
async function queueFloor(stage, codex) {
  const samples = [];
  codex.model.script = () => ({ text: 'Noted.' });
  const thread = await codexThread(stage);
  for (let round = 0; round < FLOOR_ROUNDS && thread !== undefined; round += 1) {
    await stage.idle(codex);
    const since = Date.now();
    await queue(stage.clients.codex, { ...stage, thread, message: `floor ${round}` });
    const request = await codex.model.request(({ kind, news }) => kind === 'turn' && news.includes(`floor ${round}`), {
      since,
      seconds: 10,
    });
    if (request !== undefined) samples.push(request.at - since);
  }
  return samples;
}

/** The thread of the session, as the models' requests name it. */
async function codexThread({ models }) {
  const body = models.codex.seen.findLast(({ kind }) => kind === 'turn')?.body;
  return body?.prompt_cache_key ?? body?.metadata?.thread_id;
}

/** One line to the messaging socket of the session, as its own stdio server would write it. */
async function socketFloor(stage, claude) {
  const samples = [];
  claude.model.script = () => ({ text: 'Noted.' });
  const pid = claude.terminal.pid();
  for (let round = 0; round < FLOOR_ROUNDS; round += 1) {
    await stage.idle(claude);
    const since = Date.now();
    await post(`/tmp/cc-socks/${pid}.sock`, `floor ${round}`);
    const request = await claude.model.request(({ kind, news }) => kind === 'turn' && news.includes(`floor ${round}`), {
      since,
      seconds: 10,
    });
    if (request !== undefined) samples.push(request.at - since);
  }
  return samples;
}

function post(path, words) {
  const content = `<cross-session-message from-name="floor">\n${words}\n</cross-session-message>`;
  const line = { msgV: 1, msg_id: crypto.randomUUID(), type: 'user', message: { role: 'user', content }, priority: 'next' };
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.end(`${JSON.stringify(line)}\n`));
    socket.on('error', resolve);
    socket.on('close', resolve);
  });
}
