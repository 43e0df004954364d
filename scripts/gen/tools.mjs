// docs/tools.md and the table of tools in the README.

import { built, filled, NOTE, readText, table } from './markdown.mjs';

const { tools } = await built('tools/index.js');
const { listed } = await built('tools/schema.js');
const { resources, resourceTemplates } = await built('tools/resources.js');
const { prompts } = await built('tools/prompts.js');

const toolTable = table(
  ['tool', 'what it does'],
  tools.map((tool) => [
    `\`${tool.name}\`${tool.toolset === 'core' ? '' : ` (${tool.toolset})`}`,
    tool.description.split('. ')[0]?.replace(/\.$/, ''),
  ]),
);

export const files = {
  'docs/tools.md': [
    NOTE,
    '# Tools',
    '',
    'Every tool is an MCP tool, `POST /api/<name>` and a command (`rookery <name>` with dashes). Every reply carries `inbox: {unread, urgent, owed}`.',
    '',
    ...tools.map(toolPage),
    '# Resources',
    '',
    table(
      ['address', 'what'],
      [
        ...resources.map((one) => [`\`${one.uri}\``, one.description]),
        ...resourceTemplates.map((one) => [`\`${one.uriTemplate}\``, one.description]),
      ],
    ),
    '',
    '# Prompts',
    '',
    table(
      ['prompt', 'for'],
      prompts.map((one) => [`\`${one.name}\``, one.description]),
    ),
    '',
  ].join('\n'),
  'README.md': filled(readText('README.md'), 'tools', [toolTable]),
};

function typeOf(schema) {
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  return schema.type === 'array' ? `list of ${typeOf(schema.items ?? {})}` : (schema.type ?? 'any');
}

function toolPage(tool) {
  const { inputSchema } = listed(tool);
  const required = new Set(inputSchema.required ?? []);
  const fields = Object.entries(inputSchema.properties ?? {}).map(([name, schema]) => [
    `\`${name}\`${required.has(name) ? '' : '?'}`,
    typeOf(schema),
    schema.description,
  ]);
  const lines = [
    `## ${tool.name}`,
    '',
    `*${tool.title}* · toolset \`${tool.toolset}\` · ${tool.access}${tool.overseers ? ' · managers and the operator' : ''}`,
    '',
    tool.description,
    '',
  ];
  if (fields.length > 0) lines.push(table(['field', 'type', ''], fields), '');
  return lines.join('\n');
}
