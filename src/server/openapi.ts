// The OpenAPI document of the HTTP API, made from the same schemas that check what comes in and say what goes out. It holds nothing of the hub's
// data, so anybody may read it. A test calls everything in it and holds the answers to it.

import * as z from 'zod';
import { ERROR_CODES, type ErrorCode } from '../hub/errors.ts';
import { VERSION } from '../hub/version.ts';
import type { Tool } from '../tools/tool.ts';
import replies from '../views/replies.json' with { type: 'json' };
import type { View } from '../views/view.ts';

type Json = Record<string, unknown>;

/** Made by `npm run gen` from the types of the replies. */
const REPLIES: Record<string, Json> = replies;

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

export function openApi(tools: readonly Tool[], views: readonly View<unknown>[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rookery',
      version: VERSION,
      summary: 'The coordination hub for coding agents',
      description:
        'Every tool as a POST, looks at a project for those who oversee it, and its events as they happen. Agents use the same tools through MCP at /mcp.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [
      { name: 'tools', description: 'What agents and the operator do' },
      { name: 'views', description: 'What those who oversee a project see' },
      { name: 'hub', description: 'The server itself' },
    ],
    paths: {
      ...Object.fromEntries(tools.map((tool) => [`/api/${tool.name}`, { post: toolOperation(tool) }])),
      '/api/views': { get: listOfViews() },
      ...Object.fromEntries(views.map((view) => [`/api/views/${view.name}`, { get: viewOperation(view) }])),
      '/events': { get: EVENTS },
      ...HUB_PATHS,
    },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'rookery token create --agent NAME, or --operator' },
        enrolment: { type: 'http', scheme: 'bearer', description: 'The one-time token that rookery agents create prints' },
      },
      schemas: { Error: ERROR, Event: EVENT },
      responses: Object.fromEntries(
        [...new Set(CODES.map((code) => ERROR_CODES[code].status))].map((status) => [
          `Error${status}`,
          {
            description: CODES.filter((code) => ERROR_CODES[code].status === status).join(', '),
            content: json({ $ref: '#/components/schemas/Error' }),
          },
        ]),
      ),
    },
  };
}

function toolOperation(tool: Tool): Json {
  return {
    operationId: tool.name,
    tags: ['tools'],
    summary: tool.title,
    description: `${tool.description}${tool.overseers ? ' For managers and the operator.' : ''} Toolset ${tool.toolset}; ${tool.access}.`,
    parameters: [
      {
        name: 'traceparent',
        in: 'header',
        description: 'The W3C trace that the call belongs to',
        schema: { type: 'string' },
      },
    ],
    requestBody: { required: false, content: json(schemaOf(tool.input, 'input')) },
    responses: { 200: { description: 'Done', content: json(schemaOf(tool.output, 'output')) }, ...errors() },
  };
}

function viewOperation(view: View<unknown>): Json {
  const { properties = {}, required = [] } = schemaOf(view.input, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return {
    operationId: `view_${view.name}`,
    tags: ['views'],
    summary: view.what,
    parameters: Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema })),
    responses: {
      200: { description: 'The look', content: json(REPLIES[view.name] ?? {}) },
      ...errors(),
    },
  };
}

function listOfViews(): Json {
  const one = objectOf({
    name: TEXT,
    what: TEXT,
    takes: { type: 'array', items: TEXT },
    touched_by: { type: 'array', items: TEXT, description: 'kinds of events after which it is to be fetched again' },
    fresh_seconds: { type: ['number', 'null'], description: 'after how long time alone may have changed it' },
  });
  return {
    operationId: 'views',
    tags: ['views'],
    summary: 'What views there are, what they take, and when they are to be fetched again',
    responses: { 200: { description: 'The list', content: json(objectOf({ views: { type: 'array', items: one } })) }, ...errors() },
  };
}

const TEXT = { type: 'string' };
const INSTANT = { type: 'string', format: 'date-time' };

const ERROR = {
  ...objectOf(
    {
      code: { type: 'string', enum: CODES },
      message: TEXT,
      retryable: { type: 'boolean' },
      hint: { type: 'string', description: 'the way out' },
      retry_after_ms: { type: 'integer', minimum: 0 },
    },
    ['code', 'message', 'retryable'],
  ),
  description: 'What every refusal looks like; nothing was changed unless it says so.',
};

const EVENT = {
  ...objectOf({
    seq: { type: 'integer', minimum: 1 },
    at: INSTANT,
    type: { type: 'string', pattern: '^[a-z_]+\\.[a-z_]+$' },
    actor: TEXT,
    subject: { type: 'string', description: 'the id of what it is about' },
    data: { type: 'object', description: 'names and numbers; never a body or a secret' },
  }),
  description: 'One event of a project, in the order of its seq.',
};

const EVENTS: Json = {
  operationId: 'events',
  tags: ['views'],
  summary: 'The events of the project as they happen, from any place on',
  description:
    'Server-sent events, for managers and the operator: `id` is the seq, `data` an Event as JSON. A reader that lost its connection sends Last-Event-ID and misses nothing.',
  parameters: [
    {
      name: 'after',
      in: 'query',
      description: 'the seq of the last event that is known; without it, from now on',
      schema: { type: 'integer', minimum: 0 },
    },
    { name: 'Last-Event-ID', in: 'header', description: 'the same, and counts more', schema: { type: 'integer', minimum: 0 } },
  ],
  responses: { 200: { description: 'A stream without an end', content: { 'text/event-stream': { schema: TEXT } } }, ...errors() },
};

const OPEN = { security: [], tags: ['hub'] };
const READY = { status: { type: 'string', enum: ['ready', 'not ready'] }, problems: { type: 'array', items: TEXT } };

const HUB_PATHS: Json = {
  '/livez': {
    get: {
      ...OPEN,
      operationId: 'livez',
      summary: 'The process answers',
      responses: { 200: { description: 'Yes', content: { 'text/plain': { schema: TEXT } } }, ...errors() },
    },
  },
  '/readyz': {
    get: {
      ...OPEN,
      operationId: 'readyz',
      summary: 'The hub commits writes and runs its duties; with a token also why not',
      responses: {
        200: { description: 'Ready', content: json(objectOf(READY, ['status'])) },
        503: { description: 'Not ready', content: json(objectOf(READY, ['status'])) },
        ...errors('503'),
      },
    },
  },
  '/version': {
    get: {
      ...OPEN,
      operationId: 'version',
      summary: 'Which hub this is',
      responses: {
        200: {
          description: 'Its version and ids',
          content: json(objectOf({ name: TEXT, version: TEXT, instance_id: TEXT, boot_id: TEXT, schema: { type: 'integer' } })),
        },
        ...errors(),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      tags: ['hub'],
      summary: 'Numbers for Prometheus; for the operator, managers and tokens of the role metrics',
      responses: { 200: { description: 'Text format 0.0.4', content: { 'text/plain': { schema: TEXT } } }, ...errors() },
    },
  },
  '/openapi.json': {
    get: {
      ...OPEN,
      operationId: 'openapi',
      summary: 'This document',
      responses: { 200: { description: 'OpenAPI 3.1', content: json({ type: 'object' }) }, ...errors() },
    },
  },
  '/enrol': {
    post: {
      tags: ['hub'],
      security: [{ enrolment: [] }],
      operationId: 'enrol',
      summary: 'Exchange an enrolment for the token of the agent that was made for this client, once',
      responses: {
        200: {
          description: 'The token, shown this once',
          content: json(objectOf({ name: TEXT, role: TEXT, project: TEXT, token: TEXT, expires_at: INSTANT })),
        },
        ...errors(),
      },
    },
  },
};

/** Every error that the hub can answer, by its status. `but` is told by the operation itself. */
function errors(but?: string): Json {
  const statuses = [...new Set(CODES.map((code) => String(ERROR_CODES[code].status)))].filter((status) => status !== but);
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Error${status}` }]));
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function objectOf(properties: Json, required: readonly string[] = Object.keys(properties)): Json {
  return { type: 'object', properties, required, additionalProperties: false };
}

function schemaOf(schema: z.ZodObject, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...plain } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      // The bounds of safe integers tell nothing.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return plain;
}
