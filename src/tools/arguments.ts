// The arguments of a tool as its schema has them. An error names the field, what is wrong with it, and what it should be.

import * as z from 'zod';
import { HubError } from '../hub/errors.ts';

export function parseArguments(tool: string, schema: z.ZodObject, given: unknown): Record<string, unknown> {
  const parsed = schema.safeParse(given ?? {});
  if (parsed.success) {
    assertNoNul(parsed.data);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw new HubError('invalid_input', issue === undefined ? 'The arguments do not fit.' : describe(issue), {
    hint: `${tool} takes: ${fieldsOf(schema)}.`,
  });
}

/** Not every engine stores a NUL, and nobody writes one on purpose. */
function assertNoNul(args: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(args)) {
    if (![value].flat().some((text) => typeof text === 'string' && text.includes('\0'))) continue;
    throw new HubError('invalid_input', `${field}: it holds a NUL character.`, { hint: 'Leave it out.' });
  }
}

/** The fields by name, the required ones marked. */
function fieldsOf(schema: z.ZodObject): string {
  const fields = Object.entries(schema.shape).map(([name, field]) => (field instanceof z.ZodOptional ? name : `${name} (required)`));
  return fields.join(', ') || 'nothing';
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const identity = ['from', 'sender', 'agent', 'agent_name', 'my_name', 'role'].includes(key)
      ? ' Who you are comes from your session, never from an argument.'
      : '';
    return `${key.slice(0, 48)}: unknown field.${identity}`;
  }
  const field = issue.path.join('.') || 'arguments';
  if (issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message))
    return `${field}: is required.`;
  return `${field}: ${issue.message}.`;
}
