// The flags of a tool's command, made from its input schema: kebab-case names, lists repeatable or separated by commas, numbers, yes/no.
// What the schema asks for stands once, in the tool: this only turns words of a command line into values for it.

import { type Command, Option } from 'commander';
import * as z from 'zod';
import { toJsonSchema } from '../tools/schema.ts';
import type { Tool } from '../tools/tool.ts';
import { usage } from './usage-error.ts';

const property = z.object({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.object({ type: z.string().optional() })).optional(),
  items: z.object({ enum: z.array(z.string()).optional() }).optional(),
  description: z.string().optional(),
});
type Property = z.output<typeof property>;

export type ToolFlag = { field: string; flag: string; kind: 'text' | 'number' | 'boolean' | 'list' | 'text or list'; schema: Property };

/** The flags of a tool, in the order of its schema. */
export function flagsOf(tool: Tool): ToolFlag[] {
  const { properties } = z.object({ properties: z.record(z.string(), property).default({}) }).parse(toJsonSchema(tool.input, 'input'));
  // The operator has no session and so no sub-agents: `as` is for agents.
  const fields = Object.entries(properties).filter(([field]) => field !== 'as');
  return fields.map(([field, schema]) => ({ field, flag: field.replaceAll('_', '-'), kind: kindOf(schema), schema }));
}

/** What may stand without a flag: the required texts, but `to`, which reads better named; else the first id or receipt. */
export function positionalsOf(tool: Tool): string[] {
  const { required } = z.object({ required: z.array(z.string()).default([]) }).parse(toJsonSchema(tool.input, 'input'));
  const fields = flagsOf(tool);
  const named = fields.filter(({ field, kind }) => required.includes(field) && kind === 'text' && field !== 'to').map(({ field }) => field);
  if (named.length > 0) return named;
  const first = fields.find(({ kind }) => kind === 'text')?.field;
  return first !== undefined && /(_id|receipt)$/.test(first) ? [first] : [];
}

/** Adds one option per field; a yes/no field also gets its negation. `wordsOf` says what it means where the schema does not. */
export function addFlags(command: Command, tool: Tool, wordsOf = (_field: string, described: string | undefined) => described ?? ''): void {
  for (const { field, flag, kind, schema } of flagsOf(tool)) {
    const words = wordsOf(field, schema.description);
    if (kind === 'boolean') {
      command.option(`--${flag}`, words).addOption(new Option(`--no-${flag}`).hideHelp());
      continue;
    }
    const value = kind === 'number' ? 'number' : kind === 'text' ? (schema.enum?.join('|') ?? 'text') : 'list';
    const option = new Option(`--${flag} <${value}>`, words);
    if (kind !== 'text' && kind !== 'number') option.argParser((given: string, before: string[] | undefined) => [...(before ?? []), given]);
    command.addOption(option);
  }
}

/** The tool's input from parsed flags and positional words. `-` as a positional stands for standard input. */
export function inputOf(tool: Tool, given: Record<string, unknown>, words: readonly (string | undefined)[]): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const flag of flagsOf(tool)) {
    const value = given[camelCase(flag.flag)];
    if (value !== undefined) input[flag.field] = toValue(flag, value);
  }
  for (const [index, field] of positionalsOf(tool).entries()) {
    const word = words[index];
    if (word === undefined) continue;
    if (field in input) throw usage(`${field} is given twice: as a word and as --${field.replaceAll('_', '-')}.`, 'Give it once.');
    input[field] = word;
  }
  return input;
}

function kindOf(schema: Property): ToolFlag['kind'] {
  if (schema.anyOf?.some(({ type }) => type === 'array')) return 'text or list';
  if (schema.type === 'array') return 'list';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  return schema.type === 'boolean' ? 'boolean' : 'text';
}

function toValue({ flag, kind }: ToolFlag, given: unknown): unknown {
  if (kind === 'number') {
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
    if (Number.isNaN(value)) throw usage(`--${flag} must be a number.`, `For example: --${flag} 10`);
    return value;
  }
  if (!Array.isArray(given)) return given;
  const parts = given.flatMap((part) => String(part).split(',')).map((part) => part.trim());
  const values = parts.filter((part) => part !== '');
  return kind === 'text or list' && values.length === 1 ? values[0] : values;
}

/** As commander names the value of a flag. */
function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
