// What clients are given: the hooks in docs/clients.md, the files of the plug-in, and its skill.

import { built, filled, NOTE, readText, table } from './markdown.mjs';

const { tools, toolsOf } = await built('tools/index.js');
const { prompts, sentencesFor, workingRules } = await built('tools/prompts.js');
const { pluginFiles } = await built('clients/plugin-files.js');
const { HOOKS, HOOK_EVENTS } = await built('clients/hook-events.js');

/** What each event is hooked for. */
const HOOKED_FOR = {
  SessionStart: 'who this client is; after a resume, clear or compaction what it still owes',
  UserPromptSubmit: 'a turn begins: the agent is busy; a hint of mail that waits',
  PreToolUse: 'a tool is under way; risky commands wait for an approval, edits of what others reserved are held back',
  PostToolUse: 'it is done; in Codex also a hint of mail',
  PostToolUseFailure: 'it is done, and failed',
  PostToolBatch: 'a hint of mail, before the model goes on',
  Stop: 'the turn is over: what was read is acknowledged, unread or owed things are named once',
  StopFailure: 'the turn ended by an error of the model’s service: the agent is idle',
  SubagentStop: 'a sub-agent is done',
  PreCompact: 'the context is about to shrink: files and git are noted beside the last checkpoint',
  Notification: 'the client waits for its person: the agent is idle',
  SessionEnd: 'the session is over at once, not after a minute of silence',
};
const howOf = ({ how, async: beside, timeoutSeconds }) => {
  if (how === 'rewake') return 'waits beside the idle session';
  if (how === 'mcp_tool') return `a call of the server, ${timeoutSeconds} s`;
  return beside === true ? 'not waited for' : `${timeoutSeconds} s`;
};
const hookTable = table(
  ['event', 'Claude Code', 'Codex', 'for'],
  HOOK_EVENTS.map((event) => {
    if (HOOKED_FOR[event] === undefined) throw new Error(`docs/clients.md: no words for the hook ${event}`);
    const how = (client) => [...new Set(HOOKS[client].filter((entry) => entry.event === event).map(howOf))];
    return [`\`${event}\``, how('claude').join(', ') || '-', how('codex').join(', ') || '-', HOOKED_FOR[event]];
  }),
);

export const files = { 'docs/clients.md': filled(readText('docs/clients.md'), 'hooks', ['', hookTable, '']) };

for (const [path, value] of Object.entries(pluginFiles(JSON.parse(readText('package.json')))))
  files[path] = `${JSON.stringify(value, null, 2)}\n`;

// What an agent is given by default; managers are given more.
const offered = toolsOf(['core', 'work', 'memory']);
const SKILL = 'plugin/skills/rookery/SKILL.md';
const rules = workingRules(offered).flatMap(({ title, sentences }) => [`## ${title}`, '', ...sentences.map((one) => `- ${one}`), '']);
const roles = prompts.map(({ name, description }) => `- [${name}](references/${name}.md): ${description}`);
files[SKILL] = filled(filled(readText(SKILL), 'rules', ['', ...rules]), 'roles', ['', ...roles, '']);
for (const prompt of prompts) {
  const offeredTo = prompt.name === 'manager' ? tools : offered;
  files[`plugin/skills/rookery/references/${prompt.name}.md`] = [
    NOTE,
    `# ${prompt.title}`,
    '',
    ...sentencesFor(prompt.sentences, offeredTo).map((one) => `- ${one}`),
    '',
  ].join('\n');
}
