// Mail for an agent at work: it is told before its next model call, its running tool call is not cancelled, and what it has read wakes it no
// more. Ten messages in a second wake an idle agent once.

import { join } from 'node:path';
import { sender as senderIn } from '../hub.mjs';
import { whenLeaving } from '../leaving.mjs';
import { sleep } from '../model-server.mjs';
import { until } from '../process.mjs';
import { check, figure, title } from '../report.mjs';

/** What counts as having been left alone: longer than a wake-up takes by far. */
const QUIET_MS = 5_000;

export async function runningTurn(stage) {
  for (const which of ['claude', 'codex']) {
    title(`Mail during a running turn of ${which}`);
    await toldWhileWorking(stage, stage.agents[which]);
  }
  title('Ten messages in a second');
  const sender = await senderIn(join(stage.home, '.rookery'), stage.cwd);
  const close = whenLeaving(() => sender.close());
  for (const which of ['claude', 'codex']) await burst(stage, sender, stage.agents[which]);
  await close();
}

const shell = (agent, command) =>
  agent.which === 'claude'
    ? { own: true, tool: 'Bash', input: { command, description: 'work' } }
    : { own: true, tool: 'exec_command', input: { cmd: command } };

async function toldWhileWorking(stage, agent) {
  let sent;
  const requests = await stage.turn(agent, 'Work for some seconds.', async (view) => {
    if (view.results.length === 0) {
      setTimeout(async () => {
        sent = await stage.hub.json('send', '--to', agent.name, '--subject', 'Look at PR 7', '--body', 'When you can.');
      }, 1_000);
      return shell(agent, 'sleep 4; echo slept-well');
    }
    if (view.results.length === 1) return { tool: 'recv_batch' };
    if (view.results.length === 2) return { tool: 'ack', input: { receipt: view.results[1].receipt } };
    return { text: 'Done.' };
  });
  const told = requests[1];
  check('the message went out while the tool ran', sent?.message_id !== undefined, sent);
  check('the running tool call was not cancelled', JSON.stringify(told?.results ?? '').includes('slept-well'), told?.results);
  check(
    'the next model call knows of it: from whom, and its subject',
    told?.news.includes('Look at PR 7') && told.news.includes('operator'),
    told?.news,
  );
  check('the agent read it in the same turn', requests[2]?.results[1]?.messages?.[0]?.id === sent?.message_id, requests[2]?.results);
  const from = agent.model.seen.length;
  await sleep(QUIET_MS);
  const after = agent.model.seen.slice(from).filter(({ kind }) => kind === 'turn');
  check(
    'mail already read wakes nobody',
    after.length === 0,
    after.map(({ news }) => news),
  );
}

async function burst(stage, sender, receiver) {
  await stage.drain(receiver);
  const from = receiver.model.seen.length;
  const read = new Set();
  receiver.model.script = (view) => {
    for (const result of view.results) for (const { id } of result.messages ?? []) read.add(id);
    const batch = view.results.at(-1);
    if (view.results.length > 0 && batch?.receipt === undefined) return { text: 'All read.' };
    return { tool: 'recv_batch', input: { ack: batch?.receipt } };
  };
  const started = Date.now();
  const sends = Array.from({ length: 10 }, (_none, i) => sender.send({ to: receiver.name, body: `Number ${i + 1}.` }));
  const stamps = (await Promise.all(sends)).map(({ message_id }) => message_id);
  figure(`ten messages to ${receiver.which}, sent in ${Date.now() - started} ms`);
  await until(() => stamps.every((id) => read.has(id)), { seconds: 20 });
  await stage.idle(receiver);
  await sleep(QUIET_MS);
  const turns = receiver.model.seen.slice(from).filter(({ kind, results }) => kind === 'turn' && results.length === 0);
  check(
    `${receiver.which} read all ten`,
    stamps.every((id) => read.has(id)),
    [...read],
  );
  check(
    `${receiver.which} was woken once`,
    turns.length === 1,
    turns.map(({ at, news }) => [at - started, news.slice(-400)]),
  );
}
