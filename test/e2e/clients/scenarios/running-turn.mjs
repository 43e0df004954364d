// Mail for an agent at work: it is told before its next model call, its running tool call is not cancelled, and what it has read wakes it no
// more. Ten messages in a second wake an idle agent once.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sender as senderIn } from '../hub.mjs';
import { ofAgent } from '../news.mjs';
import { processes, waitFor } from '../process.mjs';
import { check, figure, title } from '../report.mjs';
import { reads, turnsOf } from '../stage.mjs';

export async function runningTurn(stage) {
  for (const which of ['claude', 'codex']) {
    title(`Mail during a running turn of ${which}`);
    await toldWhileWorking(stage, stage.agents[which]);
  }
  title('Ten messages in a second');
  const sender = await senderIn(join(stage.home, '.rookery'), stage.cwd);
  for (const which of ['claude', 'codex']) await burst(stage, sender, stage.agents[which]);
  await sender.close();
}

/** A tool call of the client's own, which runs until the file is there. */
function waitsFor(agent, file) {
  const command = `until [ -e '${file}' ]; do sleep 0.1; done; echo slept-well`;
  return agent.which === 'claude'
    ? { own: true, tool: 'Bash', input: { command, description: 'work' } }
    : { own: true, tool: 'exec_command', input: { cmd: command, yield_time_ms: 30_000 } };
}

async function toldWhileWorking(stage, agent) {
  const file = join(stage.base, `${agent.which}-may-go-on`);
  const start = stage.news.last();
  const turn = stage.turn(agent, 'Work for some seconds.', (view) => {
    if (view.results.length === 0) return waitsFor(agent, file);
    if (view.results.length === 1) return { tool: 'recv_batch' };
    if (view.results.length === 2) return { tool: 'ack', input: { receipt: view.results[1].receipt } };
    return { text: 'Done.' };
  });
  const [requests, id] = await Promise.all([turn, mailWhileItRuns(stage, agent, file)]);
  const told = requests[1];
  check('the running tool call was not cancelled', JSON.stringify(told?.results ?? '').includes('slept-well'), told?.results);
  check(
    'the next model call knows of it: from whom, and its subject',
    told?.news.includes('Look at PR 7') && told.news.includes('operator'),
    told?.news,
  );
  check('the agent read it in the same turn', requests[2]?.results[1]?.messages?.[0]?.id === id, requests[2]?.results);
  const next = await stage.wakeOnce(agent, 'Something new');
  const wakes = stage.news.since(start, ofAgent(agent.name, 'wake.started'));
  check('mail already read wakes nobody, but what is new does', wakes.length === 1 && wakes[0].seq > next, wakes);
}

/** Sends mail when the tool call runs, and then lets it end. */
async function mailWhileItRuns(stage, agent, file) {
  await waitFor('the tool call to run', () => processes().some(({ command }) => command.includes(file)), { every: 200 });
  const sent = await stage.hub.json('send', '--to', agent.name, '--subject', 'Look at PR 7', '--body', 'When you can.');
  check('the message went out while the tool ran', sent.message_id !== undefined, sent);
  writeFileSync(file, '');
  return sent.message_id;
}

async function burst(stage, sender, agent) {
  await stage.drain(agent);
  const from = agent.model.seen.length;
  const start = stage.news.last();
  agent.model.script = reads;
  const started = Date.now();
  const sends = await Promise.all(Array.from({ length: 10 }, (_none, i) => sender.send({ to: agent.name, body: `Number ${i + 1}.` })));
  figure(`ten messages to ${agent.which}, sent in ${Date.now() - started} ms`);
  const read =
    (id) =>
    ({ type, subject, data }) =>
      type === 'message.shown' && subject === id && data.to === agent.name;
  for (const { message_id } of sends) await stage.news.one(`${agent.which} to read ${message_id}`, read(message_id), { after: start });
  await stage.ended(agent, start);
  check(`${agent.which} read all ten`, true);
  const next = await stage.wakeOnce(agent, 'An eleventh');
  const wakes = stage.news.since(start, ofAgent(agent.name, 'wake.started')).map(({ seq }) => (seq < next ? 'ten' : 'eleventh'));
  check(`${agent.which} was woken once for the ten`, wakes.join() === 'ten,eleventh', wakes);
  const turns = turnsOf(agent, from).filter(({ results }) => results.length === 0);
  check(
    `${agent.which} began a turn once for the ten`,
    turns.length === 2,
    turns.map(({ at, news }) => [at - started, news.slice(-400)]),
  );
}
