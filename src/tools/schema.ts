// What clients are given of a tool: plain JSON Schema, flat, without noise that costs a model's context. Made once, in a fixed order.

import * as z from 'zod';
import type { Tool } from './tool.ts';

export type Listed = {
  name: string;
  title: string;
  description: string;
  inputSchema: { type: 'object'; [key: string]: unknown };
  outputSchema: { type: 'object'; [key: string]: unknown };
  annotations: {
    title: string;
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: boolean;
  };
  _meta?: Record<string, unknown>;
};

/** Every hint is explicit: Codex refuses to run a tool whose hints it has to guess. */
export function listed(tool: Tool): Listed {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: toJsonSchema(tool.input, 'input'),
    outputSchema: toJsonSchema(tool.output, 'output'),
    annotations: {
      title: tool.title,
      readOnlyHint: tool.access === 'read',
      destructiveHint: tool.access === 'destructive',
      idempotentHint: tool.access === 'read' || tool.idempotent,
      openWorldHint: false,
    },
    // The two tools of every turn are worth their tokens; Claude Code shows the others by name until they are asked for.
    ...(tool.daily ? { _meta: { 'anthropic/alwaysLoad': true } } : {}),
  };
}

export function toJsonSchema(schema: z.ZodObject, io: 'input' | 'output'): { type: 'object'; [key: string]: unknown } {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      // The bounds of safe integers say nothing to a model.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      // Lengths are checked and named in errors; in every tool list they would cost more than they tell.
      for (const bound of ['minLength', 'maxLength', 'minItems', 'maxItems'] as const) delete jsonSchema[bound];
    },
  });
  return { ...json, type: 'object' };
}
