// What clients see of the tools: a committed snapshot, and the rules that keep it short and hard to misuse.

import { readdirSync, readFileSync } from 'node:fs';
import { encode } from 'gpt-tokenizer';
import { expect, it } from 'vitest';
import { TASK_STATES } from '../../src/hub/vocabulary.ts';
import { findTool, tools, toolsOf } from '../../src/tools/index.ts';
import { prompts, promptText, workingRules } from '../../src/tools/prompts.ts';
import { listed } from '../../src/tools/schema.ts';

const TOOLS_FOLDER = new URL('../../src/tools/', import.meta.url);

/** What stands in src/tools beside the tools. */
const BESIDE = [
  'measure.ts',
  'arguments.ts',
  'call.ts',
  'callable.ts',
  'catalogue.ts',
  'checkpoint.ts',
  'connection.ts',
  'hook.ts',
  'hook-words.ts',
  'index.ts',
  'once.ts',
  'prompts.ts',
  'resources.ts',
  'schema.ts',
  'task-words.ts',
  'tool.ts',
  'toolsets.ts',
  'words.ts',
];

type Property = {
  type?: unknown;
  properties?: unknown;
  items?: { type?: unknown };
  anyOf?: { type?: unknown; items?: { type?: unknown } }[];
  enum?: unknown;
  description?: string;
};
const inputs = tools.flatMap((tool) =>
  Object.entries((listed(tool).inputSchema.properties ?? {}) as Record<string, Property>).map(([field, schema]) => ({
    tool: tool.name,
    field,
    schema,
  })),
);

it('is what was agreed: change the snapshot on purpose or not at all', async () => {
  await expect(`${JSON.stringify(tools.map(listed), null, 2)}\n`).toMatchFileSnapshot('tools-list.snap');
});

it('lists exactly one tool per file, under the name of the file', () => {
  const files = readdirSync(TOOLS_FOLDER).filter((file) => !BESIDE.includes(file));
  expect(files.map((file) => file.replace('.ts', '').replaceAll('-', '_')).sort()).toEqual(tools.map(({ name }) => name).sort());
  for (const file of files) expect(readFileSync(new URL(file, TOOLS_FOLDER), 'utf8').match(/defineTool\(/g)).toHaveLength(1);
});

it('has unique names that every client accepts', () => {
  for (const { name } of tools) expect(name).toMatch(/^[a-z][a-z_]{1,40}$/);
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
  expect(findTool('nothing')).toBeUndefined();
});

it('says of every tool by hints what it does, and says so in a title and a description', () => {
  for (const tool of tools) {
    const { title, description, annotations } = listed(tool);
    expect(Object.values(annotations).every((hint) => hint !== undefined)).toBe(true);
    expect(Object.keys(annotations).sort()).toEqual(['destructiveHint', 'idempotentHint', 'openWorldHint', 'readOnlyHint', 'title']);
    expect(title.length).toBeGreaterThan(2);
    expect(description.length).toBeGreaterThan(40);
    expect(annotations.readOnlyHint && annotations.destructiveHint).toBe(false);
  }
});

it('takes flat arguments: no alternatives at the root, no objects within', () => {
  for (const tool of tools) {
    const { inputSchema } = listed(tool);
    for (const word of ['anyOf', 'oneOf', 'allOf', '$ref', '$defs', '$schema', 'patternProperties'])
      expect(inputSchema).not.toHaveProperty(word);
    expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
  }
  for (const { tool, field, schema } of inputs) {
    const shapes = [schema, ...(schema.anyOf ?? [])];
    for (const shape of shapes) expect([tool, field, shape.type]).not.toEqual([tool, field, 'object']);
    for (const shape of shapes) expect([tool, field, shape.items?.type]).not.toEqual([tool, field, 'object']);
  }
});

it('asks nobody who they are (C15)', () => {
  const identity = [
    'sender',
    'agent',
    'agent_name',
    'agent_id',
    'my_name',
    'me',
    'self',
    'session',
    'session_id',
    'identity',
    'author',
    'token',
    'project',
  ];
  for (const { tool, field } of inputs) expect([tool, identity.includes(field)]).toEqual([tool, false]);
  // `from` filters what is received; it names the other, never oneself.
  expect(inputs.filter(({ field }) => field === 'from').map(({ tool }) => tool)).toEqual(['recv_batch']);
});

it('describes every argument, unless its name and type say all', () => {
  const plain = [
    'body',
    'reason',
    'receipt',
    'message_id',
    'thread_id',
    'in_reply_to',
    'description',
    'model',
    'ids',
    'capability',
    'role',
    'state',
    'priority',
    'expects_reply',
    'expires_in_seconds',
    'max_bytes',
    'peek',
    'before_seq',
    'child_of_me',
    'question',
    'context',
    'ask_id',
    'answer',
    'decline',
    'message',
    'in_seconds',
    'max_runs',
    'reminder_id',
    'open_questions',
    'blockers',
    'approval_id',
    'ttl_seconds',
    'decision',
    'title',
    'task_id',
    'task_ids',
    'fencing_token',
    'progress',
    'note',
    'verdict',
    'labels',
    'label',
    'effort_minutes',
    'deadline_seconds',
    'not_before_seconds',
    'overdue',
    'reviewers',
    'limit',
  ];
  for (const { tool, field, schema } of inputs)
    if (schema.description === undefined) expect([tool, field, plain.includes(field)]).toEqual([tool, field, true]);
});

it('lets every writing call be repeated safely, and no reading call pretend to need it', () => {
  for (const tool of tools) expect([tool.name, 'idempotency_key' in tool.input.shape]).toEqual([tool.name, tool.access !== 'read']);
});

it('has no argument whose flag the program takes for its own', () => {
  for (const tool of tools)
    for (const flag of ['version', 'help', 'json', 'home', 'project', 'as_agent']) expect(tool.input.shape).not.toHaveProperty(flag);
});

it('returns the inbox with every answer', () => {
  for (const tool of tools) expect(listed(tool).outputSchema.required).toContain('inbox');
});

it('costs a model’s context no more than its budget: core 2,500 tokens, all 6,500', () => {
  const cost = (some: typeof tools) =>
    some
      .map((tool) => listed(tool))
      .reduce((sum, { name, description, inputSchema }) => sum + encode(JSON.stringify({ name, description, inputSchema })).length, 0);
  expect(cost(toolsOf(['core']))).toBeLessThanOrEqual(2_500);
  expect(cost(tools)).toBeLessThanOrEqual(6_500);
});

it('names in its prompts and descriptions only tools that exist', () => {
  const known = new Set(tools.map(({ name }) => name));
  const fields = new Set(inputs.map(({ field }) => field));
  const rules = workingRules(tools).flatMap(({ sentences }) => sentences);
  const texts = [...prompts.flatMap(({ sentences }) => sentences), ...rules, ...tools.map(({ description }) => description)];
  const codes = ['agent_busy', 'stale_lease', 'stale_session'];
  const more = ['next_offset', ...TASK_STATES];
  for (const text of texts)
    for (const [word] of text.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g))
      expect([word, known.has(word) || fields.has(word) || codes.includes(word) || more.includes(word)]).toEqual([word, true]);
});

it('gives prompts and rules for the tools that a client was given, and says nothing of others', () => {
  expect(prompts.map(({ name }) => name)).toEqual(['worker', 'manager', 'reviewer', 'recover', 'standup']);
  for (const toolsets of [['core'], ['core', 'work'], ['core', 'memory'], ['core', 'work', 'memory', 'channels', 'manage']] as const) {
    const offered = toolsOf(toolsets);
    const missing = tools.filter((tool) => !offered.includes(tool)).map(({ name }) => name);
    const rules = workingRules(offered).flatMap(({ sentences }) => sentences);
    for (const text of [...prompts.map((prompt) => promptText(prompt, offered)), rules.join(' ')]) {
      expect(encode(text).length).toBeLessThan(500);
      expect(text.length).toBeGreaterThan(150);
      expect(text.match(/[a-z_]+/g)?.filter((word) => missing.includes(word))).toEqual([]);
    }
  }
  const [worker] = prompts;
  expect(worker && promptText(worker, toolsOf(['core', 'memory']))).toContain('Before a long operation');
});
