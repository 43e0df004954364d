// What an agent loses and gets back: after a compaction and after a resumed session it has its name, is told of its open threads, and asks
// nothing twice.

import { check, title } from '../report.mjs';

export async function recovery(stage) {
  for (const which of ['claude', 'codex']) {
    title(`Compaction and resumption of ${which}`);
    const agent = stage.agents[which];
    const ask = await asksSomething(stage, agent);
    await compacted(stage, agent, ask);
    await resumed(stage, agent, ask);
  }
}

async function asksSomething(stage, agent) {
  const question = `May ${agent.which} ship it?`;
  const requests = await stage.turn(agent, 'Ask the operator.', (view) =>
    view.results.length === 0 ? { tool: 'ask', input: { to: 'operator', question } } : { text: 'Asked.' },
  );
  const asked = requests.at(-1)?.results[0];
  check('it asked the operator and ended its turn', asked?.state === 'open', requests.at(-1)?.results);
  return { id: asked?.ask_id, question };
}

async function compacted(stage, agent, ask) {
  const from = agent.model.seen.length;
  await agent.terminal.type('/compact');
  const done = await agent.model.request(({ kind }) => kind === 'compaction', { since: agent.model.seen[from - 1]?.at ?? 0 });
  await agent.terminal.shows(/Compacted|Context compacted/, 20);
  check('the context was compacted', done !== undefined, agent.terminal.screen());
  await toldAgain(stage, agent, ask, 'after the compaction');
}

async function resumed(stage, agent, ask) {
  const name = agent.name;
  const left = await agent.terminal.leave();
  check('the client was left', left, agent.terminal.screen());
  const again = await stage.open(agent.which, agent.which === 'claude' ? ['--continue'] : ['resume', '--last']);
  again.name = name;
  check('it opens again with its last session', again.terminal.ready, again.terminal.screen());
  await toldAgain(stage, again, ask, 'in the resumed session');
}

async function toldAgain(stage, agent, ask, when) {
  const times = (request) => request?.told.filter((text) => text.includes(agent.name) && text.includes(ask.id)).length ?? 0;
  const before = times(agent.model.turns().at(-1));
  const requests = await stage.turn(agent, 'Go on.', (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'Going on.' }));
  const me = requests.at(-1)?.results.at(-1);
  check(`its name is the same ${when}`, me?.name === agent.name, me);
  const first = requests[0];
  check(`the recovery text names it and its open threads ${when}`, times(first) > before, { before, told: first?.told.slice(-4) });
  const asks = (await stage.hub.json('asks')).asks?.filter(({ question }) => question === ask.question) ?? [];
  check(`it has asked once ${when}`, asks.length === 1, asks);
}
