// Every tool as a command (`rookery send --to reviewer "..."`), generated from the list of tools, and `rookery call` for raw JSON.
// They run through the same call as every other front door, as the operator or as an agent.

import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { HubError } from '../hub/errors.ts';
import { nearestNames } from '../hub/names.ts';
import { findTool, tools } from '../tools/index.ts';
import type { Tool } from '../tools/tool.ts';
import { addAsAgent } from './as-agent.ts';
import { asOperator } from './as-operator.ts';
import { addCommand, type CommonFlags } from './command.ts';
import { usage } from './failure.ts';
import { renderResult } from './render.ts';
import { addFlags, inputOf, positionalsOf } from './tool-flags.ts';
import { exampleOf, flagWords, inCommandWords } from './tool-words.ts';

type Flags = CommonFlags & { asAgent?: string };

/** Shorter names that people try first. */
const ALIASES: Record<string, string> = { recv_batch: 'recv' };
export function registerTools(program: Command): void {
  // A command of that name that a person has been given already is the better one.
  const taken = new Set(program.commands.map((command) => command.name()));
  for (const tool of tools) if (!taken.has(tool.name.replaceAll('_', '-'))) registerTool(program, tool);
  const call = addCommand(
    program,
    'call <tool> [json]',
    'call a tool with raw JSON, from standard input with -',
    `rookery call send '{"to":"reviewer","body":"hello"}'`,
  );
  addAsAgent(call).action(async (name: string, json: string | undefined, flags: Flags) => {
    const tool = findTool(name.replaceAll('-', '_'));
    if (tool === undefined) throw noTool(name);
    const input = toJson(json === '-' ? await readAll(process.stdin) : (json ?? '{}'));
    await asOperator({ ...flags, begins: true }, async ({ call, terminal }) => terminal.json(await call(tool, input)));
  });
}

function registerTool(program: Command, tool: Tool): void {
  const name = tool.name.replaceAll('_', '-');
  const positionals = positionalsOf(tool);
  const words = [name, ...positionals.map((field) => `[${field.replaceAll('_', '-')}]`)].join(' ');
  const command = addCommand(program, words, inCommandWords(tool.description, tool), exampleOf(tool));
  command.summary(tool.title.toLowerCase());
  const alias = ALIASES[tool.name];
  if (alias !== undefined) command.alias(alias);
  addFlags(command, tool, flagWords);
  addAsAgent(command);
  command.action(async (...given: unknown[]) => {
    const flags = command.opts<Flags & Record<string, unknown>>();
    const texts = given.slice(0, positionals.length).map((word) => (typeof word === 'string' ? word : undefined));
    const read = texts.includes('-') ? (await readAll(process.stdin)).replace(/\n$/, '') : '';
    const input = inputOf(
      tool,
      flags,
      texts.map((word) => (word === '-' ? read : word)),
    );
    await asOperator({ ...flags, begins: true }, async ({ call, terminal }) => {
      const result = await call(tool, input);
      if (flags.json === true) terminal.json(result);
      else for (const line of [...renderResult(result), ...nextStep(result)]) terminal.line(line);
    });
  });
}

/** What a person does next with a batch; the hints of tools speak to models. */
function nextStep({ receipt }: Record<string, unknown>): string[] {
  return typeof receipt === 'string' ? [`\nrookery ack ${receipt} acknowledges them; rookery answer ASK "..." answers an ask.`] : [];
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage('The arguments are not JSON.', `For example: rookery call send '{"to":"reviewer","body":"hello"}'`);
  }
}

function noTool(name: string): HubError {
  const names = tools.map((tool) => tool.name.replaceAll('_', '-'));
  const near = nearestNames(name, names);
  return usage(
    `There is no tool ${name.slice(0, 60)}.`,
    `${near.length > 0 ? `Did you mean ${near.join(', ')}? ` : ''}rookery --help lists them.`,
  );
}
