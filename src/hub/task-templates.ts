// Templates: a task, perhaps with steps below it in an order of their own, written once and made again and again with other parameters.
// `{{name}}` anywhere in its words stands for a parameter. A template is checked when it is written, so that using it can fail by its
// parameters only.

import { findTemplate, putTemplate, templateNames } from '../store/task-templates.ts';
import type { TaskRow } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import { assertOversees } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { HubError } from './errors.ts';
import { assertLabel, nearestNames } from './names.ts';
import { assertOrder, type TaskRequest, toEdges } from './task-orders.ts';

/** What a step says of its task; what it comes after is named by the keys of other steps. */
export type Step = { key: string; after: readonly string[]; request: TaskRequest };
export type Template = { request: Omit<TaskRequest, 'title'>; steps: readonly Step[] };

const PLACE = /\{\{\s*([a-z][a-z0-9_]*)\s*\}\}/g;

export class TaskTemplates {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /** Writes a template or its next version; answers its parameters. Errors: `forbidden`, `invalid_input`, `conflict` for steps in a circle. */
  async put(
    caller: Caller,
    name: string,
    template: Template,
    intent: Intent,
  ): Promise<{ version: number; params: string[]; replayed?: boolean }> {
    assertOversees(caller, 'write templates');
    assertLabel('name', name);
    this.assertSound(template);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const definition = JSON.stringify(template);
      const version = await putTemplate(act.tx, {
        projectId: act.projectId,
        name,
        definition,
        creatorId: caller.agentId,
        updatedAt: act.now,
      });
      await act.emit('template.written', name, { by: caller.name, version, steps: template.steps.length });
      return { version, params: paramsOf(template) };
    });
  }

  names(caller: Caller): Promise<string[]> {
    return this.#context.commands.look(caller, (read) => templateNames(read, caller.projectId, this.#context.limits.pageRows));
  }

  /** Makes the task of a template and its steps; `make` creates one task. Answers the task, and the id of each step by its key. */
  async instantiate(
    act: Act,
    request: TaskRequest & { template: string },
    make: (request: TaskRequest) => Promise<TaskRow>,
  ): Promise<{ task: TaskRow; steps: { key: string; taskId: string }[] }> {
    const found = await findTemplate(act.tx, act.projectId, request.template);
    if (found === undefined) {
      const names = await templateNames(act.tx, act.projectId, this.#context.limits.pageRows);
      throw new HubError('not_found', `template: there is none called "${request.template.slice(0, 40)}"; nothing was created.`, {
        hint:
          names.length === 0
            ? 'A manager writes one with create_template.'
            : `There are ${(nearestNames(request.template, names).length > 0 ? nearestNames(request.template, names) : names).join(', ')}.`,
      });
    }
    const plan = JSON.parse(found.definition) as Template;
    const { request: whole, steps } = filled(plan, valuesOf(request.params ?? [], paramsOf(plan)));
    const own = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as TaskRequest;
    const order: TaskRequest = { ...whole, ...own };
    assertOrder(order, this.#context.limits);
    const task = await make(order);
    const ids = new Map<string, string>();
    for (const step of inOrder(steps)) {
      assertOrder(step.request, this.#context.limits);
      const dependsOn = toEdges(step.after).map(({ dependsOn: key, policy }) => `${ids.get(key)}:${policy}`);
      ids.set(step.key, (await make({ ...step.request, dependsOn, parentId: task.id, traceparent: request.traceparent })).id);
    }
    return { task, steps: steps.map(({ key }) => ({ key, taskId: ids.get(key) ?? '' })) };
  }

  /** Throws what makes a plan impossible. */
  assertSound(template: Template): void {
    const { limits } = this.#context;
    if (template.steps.length > limits.templateSteps)
      throw new HubError(
        'limit_reached',
        `definition: ${template.steps.length} steps are more than the ${limits.templateSteps} of a template; nothing was written.`,
        {
          hint: 'Make a template of each part.',
        },
      );
    const keys = new Set(template.steps.map(({ key }) => key));
    if (keys.size < template.steps.length)
      throw new HubError('invalid_input', 'definition: two steps have the same key; nothing was written.', {
        hint: 'Keys name steps within the template.',
      });
    for (const step of template.steps) {
      for (const { dependsOn } of toEdges(step.after)) {
        if (!keys.has(dependsOn))
          throw new HubError(
            'invalid_input',
            `definition: step ${step.key} comes after "${dependsOn.slice(0, 40)}", which is no step; nothing was written.`,
            {
              hint: `Steps are ${[...keys].join(', ')}.`,
            },
          );
      }
      // Checked as it stands: a place for a parameter is a word like any other, but in a capability or a label it would be none.
      assertOrder(
        filledIn(step.request, () => 'x'),
        limits,
      );
    }
    assertOrder(
      filledIn({ ...template.request, title: 'x' }, () => 'x'),
      limits,
    );
    inOrder(template.steps);
  }
}

/** The parameters that the words of a template name, sorted. */
export function paramsOf(template: Template): string[] {
  return [...new Set([...JSON.stringify(template).matchAll(PLACE)].map(([, name]) => name ?? ''))].sort();
}

/** `name=value`, each of them known and each one given. Errors: `invalid_input` naming what is missing. */
function valuesOf(given: readonly string[], wanted: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of given) {
    const [, name, value] = /^([a-z][a-z0-9_]*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined || !wanted.includes(name))
      throw new HubError('invalid_input', `params: "${text.slice(0, 40)}" gives no parameter of this template; nothing was created.`, {
        hint: wanted.length === 0 ? 'It has none.' : `Its parameters are ${wanted.join(', ')}, each as name=value.`,
      });
    values.set(name, value);
  }
  const missing = wanted.filter((name) => !values.has(name));
  if (missing.length > 0)
    throw new HubError(
      'invalid_input',
      `params: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing; nothing was created.`,
      {
        hint: `Give each as name=value, for example ${missing[0]}=...`,
      },
    );
  return values;
}

function filled(template: Template, values: ReadonlyMap<string, string>): Template {
  return filledIn(template, (name) => values.get(name) ?? '');
}

/** Every text of a thing with its places filled in. What is filled in is not looked at again. */
function filledIn<T>(thing: T, value: (name: string) => string): T {
  if (typeof thing === 'string') return thing.replace(PLACE, (_all, name: string) => value(name)) as T;
  if (Array.isArray(thing)) return thing.map((one: unknown) => filledIn(one, value)) as T;
  if (thing === null || typeof thing !== 'object') return thing;
  return Object.fromEntries(Object.entries(thing).map(([key, inner]) => [key, filledIn(inner, value)])) as T;
}

/** The steps so that each comes after those that it waits for. Errors: `conflict` with the circle. */
function inOrder(steps: readonly Step[]): Step[] {
  const left = new Map(steps.map((step) => [step.key, step]));
  const ordered: Step[] = [];
  while (left.size > 0) {
    const next = [...left.values()].find((step) => toEdges(step.after).every(({ dependsOn }) => !left.has(dependsOn)));
    if (next === undefined) throw circle(left);
    left.delete(next.key);
    ordered.push(next);
  }
  return ordered;
}

function circle(left: ReadonlyMap<string, Step>): HubError {
  const path: string[] = [];
  let key = [...left.keys()][0] ?? '';
  while (!path.includes(key)) {
    path.push(key);
    key = toEdges(left.get(key)?.after ?? []).find(({ dependsOn }) => left.has(dependsOn))?.dependsOn ?? '';
  }
  return new HubError(
    'conflict',
    `definition: the steps wait in a circle: ${[...path.slice(path.indexOf(key)), key].join(' -> ')}. Nothing was written.`,
    {
      hint: 'Leave one of these out.',
    },
  );
}
