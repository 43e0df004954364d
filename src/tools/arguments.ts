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
  throw new HubError('invalid_input', issue === undefined ? 'The arguments do not fit.' : describe(issue, given), {
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

function describe(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const identity = ['from', 'sender', 'agent', 'agent_name', 'my_name', 'role'].includes(key)
      ? ' Who you are comes from your session, never from an argument.'
      : '';
    return `${key.slice(0, 48)}: unknown field.${identity}`;
  }
  const field = issue.path.join('.') || 'arguments';
  if ((issue.code === 'invalid_type' || issue.code === 'invalid_union') && valueAt(given, issue.path) === undefined)
    return `${field}: is required.`;
  // Of a field that may be one of several things zod says only that it is none of them.
  if (issue.code === 'invalid_union') {
    const wanted = issue.errors.flatMap((one) =>
      one.flatMap((why) => (why.code === 'invalid_type' && why.path.length === 0 ? [why.expected] : [])),
    );
    const inner = issue.errors.flat().find(({ path }) => path.length > 0);
    return wanted.length === issue.errors.length || inner === undefined
      ? `${field}: expected ${wanted.join(' or ')}.`
      : `${[field, ...inner.path].join('.')}: ${inner.message}.`;
  }
  return `${field}: ${issue.message}.`;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value !== null && typeof value === 'object' ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    given,
  );
}
