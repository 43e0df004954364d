// create_template: a plan that is made again and again.

import { z } from 'zod';
import { HubError } from '../hub/errors.ts';
import type { Template } from '../hub/task-templates.ts';
import { OVERDUE_POLICIES, PRIORITIES } from '../hub/vocabulary.ts';
import { once } from './once.ts';
import { defineTool } from './tool.ts';

const texts = z.array(z.string().min(1).max(1_100)).max(100).optional();

/** What a template may say of a task: the words of create_task. */
const order = () => ({
  body: z.string().optional(),
  assignee: z.string().optional(),
  capabilities: texts,
  labels: texts,
  priority: z.enum(PRIORITIES).optional(),
  effort_minutes: z.int().min(1).max(100_000).optional(),
  overdue: z.enum(OVERDUE_POLICIES).optional(),
  expected_artifacts: texts,
  reviewers: texts,
  quorum: z.int().min(1).optional(),
});
const definition = once(() =>
  z.strictObject({
    ...order(),
    steps: z
      .array(z.strictObject({ ...order(), key: z.string().regex(/^[a-z0-9_-]{1,40}$/), title: z.string().min(1).max(200), after: texts }))
      .optional(),
  }),
);

export const createTemplate = defineTool({
  name: 'create_template',
  title: 'Write a template',
  description: 'Write a plan for create_task (template, params), or its next version. Steps become children that wait for each other.',
  access: 'write',
  toolset: 'manage',
  overseers: true,
  input: () => ({
    name: z.string().min(1).max(40).describe('lower-case'),
    definition: z
      .string()
      .min(2)
      .max(32_000)
      .describe('JSON: fields of create_task (no title, times or ids), and steps: [{key, title, after: [key], ...}]; {{x}} is a parameter'),
  }),
  output: () => ({ name: z.string(), version: z.int(), params: z.array(z.string()) }),
  async run({ hub, caller, key, args }, input) {
    const { version, params, replayed } = await hub.taskTemplates.put(caller, input.name, toTemplate(input.definition), {
      tool: 'create_template',
      key,
      args,
    });
    return { name: input.name, version, params, ...(replayed === true ? { replayed } : {}) };
  },
});

function toTemplate(text: string): Template {
  const value = toJson(text);
  if (value === undefined) throw unfit('definition: it is not JSON');
  const parsed = definition().safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unfit(`${['definition', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'does not fit'}`);
  }
  const { steps = [], ...whole } = parsed.data;
  return {
    request: toRequest(whole),
    steps: steps.map(({ key, title, after = [], ...rest }) => ({ key, after, request: { title, ...toRequest(rest) } })),
  };
}

function unfit(what: string): HubError {
  return new HubError('invalid_input', `${what}. Nothing was written.`, {
    hint: 'For example {"body": "Release {{version}}", "steps": [{"key": "build", "title": "Build {{version}}"}, {"key": "test", "title": "Test", "after": ["build"]}]}',
  });
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toRequest({
  effort_minutes: effortMinutes,
  expected_artifacts: expectedArtifacts,
  ...rest
}: z.output<z.ZodObject<ReturnType<typeof order>>>) {
  return { ...rest, effortMinutes, expectedArtifacts };
}
