// An idle agent is woken by mail: Claude Code sends to Codex, which sits idle in its terminal; Codex starts a turn and reads; its answer wakes
// the idle Claude Code. Measured from the moment a model asks for the send to the first model request on the other side; with --measure beside
// what the client's own door costs without the hub in the same run.

import { createConnection } from 'node:net';
import { queue } from '../codex.mjs';
import { ofAgent } from '../news.mjs';
import { waitFor } from '../process.mjs';
import { check, figure, inWords, spread, title } from '../report.mjs';

/** Enough to see that it works. */
const FEW = 3;
const MOST_FLOORS = 10;

export async function idleWake(stage, { measure }) {
  title('An idle agent is woken by mail, in both directions');
  const { claude, codex } = stage.agents;
  const rounds = measure ?? FEW;
  const there = [];
  const back = [];
  for (let round = 1; round <= rounds; round += 1) {
    const took = await pingPong(stage, round);
    there.push(took.there);
    back.push(took.back);
  }
  check(`Codex, idle in its terminal, began a turn and read the message, ${rounds} times`, there.length === rounds);
  check(`the answer woke the idle Claude Code, which read it, ${rounds} times`, back.length === rounds);
  figure(`send to first model request, Claude Code to Codex: ${inWords(spread(there))}`);
  figure(`send to first model request, Codex to Claude Code: ${inWords(spread(back))}`);
  if (measure !== undefined) await floors(stage, Math.min(rounds, MOST_FLOORS));
  const woken = (await stage.hub.json('agents')).agents?.filter(({ name }) => name === claude.name || name === codex.name) ?? [];
  check(
    'list_agents names the door by which each was last proven to be woken',
    woken.length === 2 && woken.every(({ wake }) => wake?.proven_at !== undefined && wake.door !== 'none'),
    woken,
  );
}

async function pingPong(stage, round) {
  const { claude, codex } = stage.agents;
  const { news } = stage;
  const start = news.last();
  const from = { claude: claude.model.seen.length, codex: codex.model.seen.length };
  const found = {};
  codex.model.script = async (view) => {
    if (view.results.length === 0) return { tool: 'recv_batch' };
    const message = view.results[0].messages?.find(({ subject }) => subject === `Ping ${round}`);
    if (view.results.length > 1 || message === undefined) return { text: 'Answered.' };
    await news.one('the end of the turn that sent', ofAgent(claude.name, 'turn.ended'), { after: start });
    found.ping = true;
    found.answered = Date.now();
    return { tool: 'send', input: { to: claude.name, body: `pong ${round}`, in_reply_to: message.id } };
  };
  claude.model.script = (view) => {
    if (found.asked === undefined) {
      found.asked = Date.now();
      return { tool: 'send', input: { to: codex.name, subject: `Ping ${round}`, body: 'Please answer.', kind: 'request' } };
    }
    if (found.answered === undefined) return { text: 'Sent.' };
    if (view.results.length === 0) return { tool: 'recv_batch' };
    const reply = view.results[0].messages?.find(({ body }) => body === `pong ${round}`);
    if (view.results.length > 1 || reply === undefined) return { text: 'Read.' };
    found.pong = true;
    return { tool: 'ack', input: { receipt: view.results[0].receipt } };
  };
  await claude.terminal.type(`Send ping ${round}.`);
  await waitFor(`ping ${round} to be read by Codex`, () => found.ping);
  await waitFor(`pong ${round} to be read by Claude Code`, () => found.pong);
  const turns = (agent) => news.since(start, ofAgent(agent.name, 'turn.ended')).length;
  await waitFor(`the turns of round ${round} to end`, () => turns(claude) >= 2 && turns(codex) >= 1);
  const first = (agent, skipped, since) => agent.model.seen.slice(skipped).find(({ kind, at }) => kind === 'turn' && at >= since);
  return {
    there: first(codex, from.codex, found.asked).at - found.asked,
    back: first(claude, from.claude, found.answered).at - found.answered,
  };
}

async function floors(stage, rounds) {
  const { claude, codex } = stage.agents;
  const thread = threadOf(codex);
  const byQueue = await floor(stage, codex, rounds, (message) => queue(stage.clients.codex, { ...stage, thread, message }));
  const socket = `/tmp/cc-socks/${claude.terminal.pid()}.sock`;
  const byPost = await floor(stage, claude, rounds, (message) => post(socket, message));
  figure(`floor, \`codex queue\` alone:                        ${inWords(spread(byQueue))}`);
  figure(`floor, a bare post to the session's socket:        ${inWords(spread(byPost))}`);
  check('both floors were measured', byQueue.length === rounds && byPost.length === rounds);
}

/** How fast a client can be woken with nothing around it. */
async function floor(stage, agent, rounds, wake) {
  const samples = [];
  agent.model.script = () => ({ text: 'Noted.' });
  for (let round = 0; round < rounds; round += 1) {
    const after = stage.news.last();
    const since = Date.now();
    await wake(`floor ${round}`);
    const request = await agent.model.request(({ kind, news }) => kind === 'turn' && news.includes(`floor ${round}`), { since });
    if (request === undefined) break;
    samples.push(request.at - since);
    await stage.ended(agent, after);
  }
  return samples;
}

/** The thread of a Codex session, as its requests name it. */
export const threadOf = ({ model }) => model.seen.findLast(({ kind }) => kind === 'turn')?.body?.prompt_cache_key;

/** One line to the messaging socket of a session, as its own stdio server would write it. */
function post(path, words) {
  const content = `<cross-session-message from-name="floor">\n${words}\n</cross-session-message>`;
  const line = { msgV: 1, msg_id: crypto.randomUUID(), type: 'user', message: { role: 'user', content }, priority: 'next' };
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.end(`${JSON.stringify(line)}\n`));
    socket.on('error', resolve);
    socket.on('close', resolve);
  });
}
