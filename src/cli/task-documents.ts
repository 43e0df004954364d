// Tasks as documents: the graph for Mermaid and Graphviz, a job as JSON and as Markdown. Words of agents are quoted, so that none of them becomes
// a line of the graph or of the document.

import { toIso } from '../hub/clock.ts';
import type { TaskGraphView } from '../hub/task-trees.ts';
import type { TaskView } from '../hub/task-views.ts';
import { printSafeLine } from './print-safe.ts';

/** How much of a title a node shows. */
const TITLE = 40;

const SHADES: Readonly<Record<string, string>> = {
  completed: '#d4edda',
  working: '#cce5ff',
  in_review: '#e2d9f3',
  input_required: '#fff3cd',
  needs_attention: '#f8d7da',
  failed: '#f8d7da',
  canceled: '#e2e3e5',
  rejected: '#e2e3e5',
};

export function toMermaid({ nodes, links, cut }: TaskGraphView): string[] {
  const name = new Map(nodes.map(({ id }, index) => [id, `t${index}`]));
  return [
    'flowchart TD',
    ...nodes.map((node, index) => `  t${index}["${label(node, '<br/>')}"]:::${node.state}`),
    ...links.map(({ from, to, kind, settled }) => {
      const [a, b] = [name.get(from) ?? '', name.get(to) ?? ''];
      return kind === 'child_of' ? `  ${a} -.- ${b}` : `  ${b} ${settled ? '-->' : '==>'} ${a}`;
    }),
    ...[...new Set(nodes.map(({ state }) => state))].map((state) => `  classDef ${state} fill:${SHADES[state] ?? '#ffffff'},color:#000000`),
    ...(cut ? ['  %% there is more than is shown'] : []),
  ];
}

export function toDot({ nodes, links, cut }: TaskGraphView): string[] {
  return [
    'digraph tasks {',
    '  node [shape=box, style="filled", fontname="sans-serif"];',
    ...nodes.map((node) => `  "${node.id}" [label="${label(node, '\\n')}", fillcolor="${SHADES[node.state] ?? '#ffffff'}"];`),
    ...links.map(({ from, to, kind, settled }) =>
      kind === 'child_of'
        ? `  "${from}" -> "${to}" [style=dotted, arrowhead=none];`
        : `  "${to}" -> "${from}"${settled ? '' : ' [penwidth=2]'};`,
    ),
    ...(cut ? ['  // there is more than is shown'] : []),
    '}',
  ];
}

/** A title in one line without anything that the languages of graphs would read as theirs. */
function label({ id, title, state, holder }: TaskGraphView['nodes'][number], newline: string): string {
  const characters = [
    ...printSafeLine(title)
      .replace(/["'`\\<>[\]{}|;#&%]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  ];
  const short = characters.length <= TITLE ? characters.join('') : `${characters.slice(0, TITLE - 1).join('')}…`;
  return [short, id, `${state}${holder === null ? '' : ` by ${holder}`}`].join(newline);
}

/** The trace of a job as OTLP JSON: a span for each version of each task, from its instant to the next, each the child of the one before. */
export function toOtlp(views: readonly TaskView[]) {
  const nanos = (ms: number) => `${ms}000000`;
  const attribute = (key: string, value: string | number) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  });
  const spans = views.flatMap(({ task, history }) =>
    history.map((step, index) => ({
      traceId: task.traceId,
      spanId: step.spanId,
      ...(step.parentSpanId === null ? {} : { parentSpanId: step.parentSpanId }),
      name: `task.${step.act}`,
      kind: 1,
      startTimeUnixNano: nanos(step.at),
      endTimeUnixNano: nanos(history[index + 1]?.at ?? step.at),
      attributes: [
        attribute('task.id', task.id),
        attribute('task.version', step.version),
        attribute('task.state', step.toState),
        attribute('task.fencing_token', step.fencingToken),
        attribute('agent.name', step.by),
      ],
      status: step.toState === 'failed' ? { code: 2 } : {},
    })),
  );
  const resource = { attributes: [attribute('service.name', 'rookery')] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'rookery.tasks' }, spans }] }] };
}

export function toMarkdown(views: readonly TaskView[], cut: boolean): string[] {
  const [root] = views;
  return [
    `# ${heading(root?.task.title ?? '')}`,
    ...views.flatMap(({ task, dependsOn, result, late, reviews, history }) => [
      '',
      `## ${heading(task.title)}`,
      '',
      `\`${task.id}\` · ${task.state} · ${task.priority} · created by ${task.creator} at ${toIso(task.createdAt)}${task.parentId === null ? '' : ` · part of \`${task.parentId}\``}`,
      ...(task.reason === null ? [] : ['', `Reason: ${printSafeLine(task.reason)}`]),
      ...(dependsOn.length === 0 ? [] : ['', `After ${dependsOn.map((one) => `\`${one.taskId}\` (${one.state})`).join(', ')}`]),
      ...quoted('', task.body),
      ...(result === null
        ? []
        : quoted(
            `Result, by ${result.by} at ${toIso(result.at)}${result.artifacts.length === 0 ? '' : `, with ${result.artifacts.join(', ')}`}:`,
            result.result,
          )),
      ...reviews.flatMap((one) =>
        quoted(`Review of revision ${one.revision} by ${one.reviewer}: ${one.state}`, one.findings.join('\n') || 'No findings.'),
      ),
      ...late.flatMap((one) => quoted(`Late result, not applied, by ${one.by} under token ${one.fencingToken}:`, one.result)),
      '',
      '| version | at | act | by | state | token | note |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...history.map(
        (step) =>
          `| ${[step.version, toIso(step.at), step.act, step.by, step.toState, step.fencingToken, cell(step.note ?? '')].join(' | ')} |`,
      ),
    ]),
    ...(cut ? ['', 'There is more than is shown.'] : []),
  ];
}

function quoted(title: string, text: string): string[] {
  if (text === '') return [];
  return [...(title === '' ? [] : ['', title]), '', ...text.split(/\r?\n/).map((line) => `> ${printSafeLine(line)}`)];
}

function heading(text: string): string {
  return printSafeLine(text).replace(/[\\`*_[\]<>#|]/g, '\\$&');
}

function cell(text: string): string {
  return printSafeLine(text).replace(/[\\|`<>]/g, '\\$&');
}
