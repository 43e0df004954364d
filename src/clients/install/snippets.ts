// What a person puts into a client that is to become an agent which was made for it: the same entry that `rookery install` writes, with the
// agent's name and its enrolment, for this project and no other.

import type { ClientName, Wish } from './client.ts';
import { clients } from './clients.ts';
import { SERVER } from './edit.ts';
import { valueAt } from './json-text.ts';

export const PRINTS = ['env', 'claude', 'codex', 'gemini', 'vscode', 'cursor'] as const;
export type Print = 'env' | ClientName;

export type Enrolled = { name: string; token: string };

/** The lines to copy: a command for Claude Code, the text of the settings for the others, else the environment. */
export function snippet(print: Print, { name, token }: Enrolled, wish: Omit<Wish, 'env'>): string[] {
  const env = { ROOKERY_ENROL: token };
  if (print === 'env') return Object.entries({ ...env, ...environmentOf(wish.flags) }).map(([key, value]) => `${key}=${quoted(value)}`);
  const client = clients.find((one) => one.name === print);
  const [server] = client?.edits({ ...wish, env, flags: { '--agent': name, ...wish.flags } }) ?? [];
  const text = server?.install('') ?? '';
  // The comments are about what `rookery install` writes; these lines a person puts in.
  if (print !== 'claude')
    return text
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('#'));
  return [`claude mcp add-json ${SERVER} ${quoted(JSON.stringify(valueAt(text, ['mcpServers', SERVER], 'the snippet')))}`];
}

function environmentOf(flags: Wish['flags']): Record<string, string> {
  const { '--home': home, '--project': project } = flags;
  return { ...(home === undefined ? {} : { ROOKERY_HOME: home }), ...(project === undefined ? {} : { ROOKERY_PROJECT: project }) };
}

function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
