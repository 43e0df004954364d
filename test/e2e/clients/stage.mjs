// Two users' worth of preparation, once for all scenarios in a terminal: a fresh home with both clients, the hub installed into them, an agent
// in each, both idle. Scenarios say what the models do next and look at what came of it.

import { join } from 'node:path';
import { claudeHome, openClaude } from './claude.mjs';
import { codexHome, openCodex, stopDaemon } from './codex.mjs';
import { rookery } from './hub.mjs';
import { until } from './process.mjs';
import { scriptedClaude } from './scripted-claude.mjs';
import { scriptedCodex } from './scripted-codex.mjs';

/** What a model does that nobody told anything else. */
export const nothing = () => ({ text: 'Nothing to do.' });

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

  const presence = async () => (await hub.json('agents')).agents ?? [];
  const stage = {
    clients,
    base,
    cwd,
    home,
    models,
    hub,
    agents,

    /** Opens a client in a terminal and learns the name of its agent from its first turn. */
    async open(which, more = []) {
      const opened =
        which === 'claude'
          ? await openClaude(clients.claude, { home, cwd, port: models.claude.port, more })
          : await openCodex(clients.codex, { home, cwd, more });
      const agent = { which, terminal: opened, model: models[which] };
      agents[which] = agent;
      return agent;
    },

    /** One turn that somebody's prompt starts; answers the requests it made. */
    async turn(agent, prompt, script) {
      const from = agent.model.seen.length;
      agent.model.script = script;
      await agent.terminal.type(prompt);
      await stage.ended(agent, from);
      return agent.model.seen.slice(from).filter((one) => one.kind === 'turn');
    },

    /** Waits until a turn that began after `from` requests has ended, as the hub sees it too. */
    async ended(agent, from, seconds = 30) {
      await until(() => agent.model.seen.slice(from).some((one) => one.kind === 'turn'), { seconds });
      return await stage.idle(agent, seconds);
    },

    idle: (agent, seconds = 30) => until(async () => (await stage.stateOf(agent)) === 'idle', { seconds, every: 150 }),
    stateOf: async (agent) => (await presence()).find((one) => one.name === agent.name)?.state,
    presence,

    /** Lets an agent read whatever waits for it, so that the next scenario begins with an empty inbox. */
    async drain(agent) {
      await stage.turn(agent, 'Read your mail.', (view) => {
        const batch = view.results.at(-1);
        if (view.results.length > 0 && batch?.receipt === undefined) return { text: 'All read.' };
        return { tool: 'recv_batch', input: { ack: batch?.receipt } };
      });
    },

    async introduce(agent) {
      const requests = await stage.turn(agent, 'Who are you?', (view) =>
        view.results.length === 0 ? { tool: 'whoami' } : { text: 'So I am.' },
      );
      const me = requests.at(-1)?.results.at(-1);
      agent.name = me?.name;
      return me;
    },

    async close() {
      await Promise.all(Object.values(agents).map((agent) => agent.terminal.close()));
      models.claude.close();
      models.codex.close();
      await stopDaemon(clients.codex, { home, cwd });
    },
  };
  return stage;
}
