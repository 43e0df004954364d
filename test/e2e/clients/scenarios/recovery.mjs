// What an agent loses and gets back: after a compaction and after a resumed session it has its name and is told of its open threads. Its model
// asks again whatever it is not told of, so that what is asked twice is counted.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../process.mjs';
import { check, title } from '../report.mjs';
import { threadOf } from './idle-wake.mjs';

export async function recovery(stage) {
  for (const which of ['claude', 'codex']) {
    title(`Compaction and resumption of ${which}`);
    const agent = stage.agents[which];
    const ask = { question: `May ${which} ship it?` };
    const requests = await stage.turn(agent, 'Ask the operator.', (view) => (view.results.length === 0 ? asking(ask) : { text: 'Asked.' }));
    const asked = requests.at(-1)?.results[0];
    check('it asked the operator and ended its turn', asked?.state === 'open', asked);
    ask.id = asked?.ask_id;
    await compacted(stage, agent, ask);
    await resumed(stage, agent, ask);
  }
}

const asking = ({ question }) => ({ tool: 'ask', input: { to: 'operator', question } });

async function compacted(stage, agent, ask) {
  const from = agent.model.seen.length;
  await agent.terminal.type('/compact');
  await waitFor('the request for a summary', () => agent.model.seen.slice(from).some(({ kind }) => kind === 'compaction'));
  await agent.terminal.shows(/Compacted|Context compacted/);
  await toldAgain(stage, agent, ask, 'after the compaction');
}

async function resumed(stage, agent, ask) {
  const session = agent.which === 'claude' ? claudeSession(stage) : threadOf(agent);
  check('the client was left', await agent.terminal.leave());
  const again = await stage.open(agent.which, agent.which === 'claude' ? ['--resume', session] : ['resume', session]);
  await toldAgain(stage, again, ask, 'in the resumed session');
}

/** Claude Code names the file of a session's transcript by the session. */
function claudeSession({ home }) {
  const names = readdirSync(join(home, '.claude', 'projects'), { recursive: true });
  return /([0-9a-f-]{36})\.jsonl$/.exec(names.find((name) => /^[^/]+\/[0-9a-f-]{36}\.jsonl$/.test(name)) ?? '')?.[1];
}

async function toldAgain(stage, agent, ask, when) {
  const times = (request) => request?.told.filter((text) => text.includes(agent.name) && text.includes(ask.id)).length ?? 0;
  const before = times(agent.model.turns().at(-1));
  const requests = await stage.turn(agent, 'Go on.', (view) => {
    if (view.results.length === 0) return { tool: 'whoami' };
    return view.results.length === 1 && times(view) <= before ? asking(ask) : { text: 'Going on.' };
  });
  const me = requests.at(-1)?.results[0];
  check(`its name is the same ${when}`, me?.name === agent.name, me);
  check(`the recovery text names it and its open threads ${when}`, times(requests[0]) > before, {
    before,
    told: requests[0]?.told.slice(-4),
  });
  const asks = stage.news.since(0, ({ type, data }) => type === 'ask.opened' && data.from === agent.name);
  check(`it has asked once ${when}`, asks.length === 1, asks);
}
