// Two users' worth of preparation, once for all scenarios in a terminal: a fresh home with both clients, the hub installed into them, an agent
// in each, both idle. Scenarios say what the models do next and look at what came of it.

import { join } from 'node:path';
import { claudeHome, openClaude } from './claude.mjs';
import { codexHome, openCodex, stopDaemon } from './codex.mjs';
import { rookery } from './hub.mjs';
import { follow, ofAgent } from './news.mjs';
import { scriptedClaude } from './scripted-claude.mjs';
import { scriptedCodex } from './scripted-codex.mjs';

/** What a model does that nobody told anything else. */
const nothing = () => ({ text: 'Nothing to do.' });

/** Reads until there is no more mail, and again when it is told of some; acknowledges it. */
export const reads = (view) => {
  const batch = view.results.at(-1);
  const isTold = view.latest.includes('Mail for');
  const receipt = batch?.receipt ?? undefined;
  if (view.results.length > 0 && receipt === undefined && !isTold) return { text: 'All read.' };
  return { tool: 'recv_batch', input: { ack: receipt } };
};

export async function openStage({ clients, base, cwd }) {
  const home = join(base, 'user');
  const models = {
    claude: await scriptedClaude(nothing),
    codex: await scriptedCodex(nothing),
  };
  claudeHome(home, cwd);
  codexHome(home, cwd, models.codex.port);
  const hub = rookery({ home, cwd });
  const agents = {};

  const stage = {
    clients,
    base,
    cwd,
    home,
    models,
    hub,
    agents,
    news: undefined,

    /** Opens a client in a terminal; it is the same agent as before if it goes on with its session. */
    async open(which, more = []) {
      const terminal =
        which === 'claude'
          ? await openClaude(clients.claude, { home, cwd, port: models.claude.port, more })
          : await openCodex(clients.codex, { home, cwd, more });
      agents[which] = { ...agents[which], which, terminal, model: models[which] };
      return agents[which];
    },

    /** Begins to follow what happens in the hub. */
    watch() {
      stage.news = follow(hub);
    },

    /** One turn that somebody's prompt starts; answers the requests it made. */
    async turn(agent, prompt, script) {
      const from = agent.model.seen.length;
      const after = stage.news.last();
      agent.model.script = script;
      await agent.terminal.type(prompt);
      await stage.ended(agent, after);
      return turnsOf(agent, from);
    },

    /** Waits until a turn has ended, as the hub knows it. */
    ended: (agent, after) => stage.news.one(`the end of a turn of ${agent.name}`, ofAgent(agent.name, 'turn.ended'), { after }),

    /** Lets an agent read whatever waits for it, so that the next scenario begins with an empty inbox. */
    drain: (agent) => stage.turn(agent, 'Read your mail.', reads),

    /** Learns the name of the agent in a client from its first turn. */
    async introduce(agent) {
      agent.model.script = (view) => (view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' });
      await agent.terminal.type('Who are you?');
      const { results } = (await agent.model.request((one) => one.kind === 'turn' && one.results.length > 0)) ?? {};
      agent.name = results?.[0].name;
      if (agent.name !== undefined) await stage.ended(agent, 0);
      return results?.[0];
    },

    /**
     * Sends an agent at rest something worth waking for, and lets it read it. What would have woken it before has woken it by then, so that
     * a scenario can count. Answers the seq of its acceptance.
     */
    async wakeOnce(agent, subject) {
      agent.model.script = reads;
      const { message_id } = await stage.hub.json('send', '--to', agent.name, '--subject', subject, '--body', 'Read this.');
      const { seq } = await stage.news.sent(message_id);
      await stage.news.one(`the wake-up for ${subject}`, ofAgent(agent.name, 'wake.started'), { after: seq });
      await stage.ended(agent, seq);
      return seq;
    },

    async close() {
      await stage.news?.close();
      await Promise.all(Object.values(agents).map((agent) => agent.terminal.close()));
      models.claude.close();
      models.codex.close();
      await stopDaemon(clients.codex, { home, cwd });
    },
  };
  return stage;
}

/** The requests of turns that an agent's model was sent since it had been sent `from`. */
export const turnsOf = (agent, from) => agent.model.seen.slice(from).filter(({ kind }) => kind === 'turn');
