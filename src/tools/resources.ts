// Resources: the same truth as the tools, by address, for clients and people that read rather than call. Each is answered by a tool, so that
// every front door passes the same authorisation; reading one never leases or acknowledges.

import { HubError } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import { callTool, type Reply } from './call.ts';
import type { Connection } from './connection.ts';
import { findTool } from './index.ts';

export type Resource = { uri: string; name: string; title: string; description: string };
export type ResourceTemplate = { uriTemplate: string; name: string; title: string; description: string };

export const INBOX_URI = 'hub://inbox';

export const resources: readonly Resource[] = [
  { uri: INBOX_URI, name: 'inbox', title: 'Inbox', description: 'What waits for you, without taking it. Subscribable.' },
  { uri: 'hub://agents', name: 'agents', title: 'Agents', description: 'Who is in this project, and their presence.' },
  { uri: 'hub://limits', name: 'limits', title: 'Limits', description: 'The limits in force, and notices.' },
];

export const resourceTemplates: readonly ResourceTemplate[] = [
  { uriTemplate: 'hub://agents/{name}', name: 'agent', title: 'One agent', description: 'The card and presence of one agent.' },
  {
    uriTemplate: 'hub://threads/{id}',
    name: 'thread',
    title: 'A thread',
    description: 'The newest messages of a thread you take part in.',
  },
  {
    uriTemplate: 'hub://documents/{name}',
    name: 'document',
    title: 'A document',
    description: 'What all agents of the project should know.',
  },
  { uriTemplate: 'hub://tasks/{id}', name: 'task', title: 'A task', description: 'A task with its history and result.' },
];

/** Reads a resource as JSON text. Errors: `not_found` for an unknown address, else those of the tool behind it. */
export async function readResource(hub: Hub, connection: Connection, uri: string): Promise<string> {
  const [, noun = '', id = ''] = /^hub:\/\/([a-z]+)(?:\/([^/?#]{1,64}))?$/.exec(uri) ?? [];
  const ask = async (tool: string, input: Record<string, unknown>): Promise<Record<string, unknown>> =>
    resultOf(await call(hub, connection, tool, input));
  if (noun === 'inbox' && id === '') return JSON.stringify(await ask('recv_batch', { peek: true }));
  if (noun === 'limits' && id === '') {
    const { limits, notices } = await ask('whoami', {});
    return JSON.stringify({ limits, notices });
  }
  if (noun === 'threads' && id !== '') return JSON.stringify(await ask('get_thread', { thread_id: id }));
  if (noun === 'documents' && id !== '') return JSON.stringify(await ask('get_document', { name: decoded(id) }));
  if (noun === 'tasks' && id !== '') return JSON.stringify(await ask('get_task', { task_id: id }));
  if (noun === 'agents') {
    const { agents } = await ask('list_agents', {});
    if (id === '') return JSON.stringify({ agents });
    const one = Array.isArray(agents) ? agents.find((agent: { name?: unknown }) => agent.name === decoded(id)) : undefined;
    if (one !== undefined) return JSON.stringify(one);
  }
  throw new HubError('not_found', `There is no resource ${uri.slice(0, 80)}.`, {
    hint: 'resources/list and resources/templates/list name them.',
  });
}

async function call(hub: Hub, connection: Connection, name: string, input: Record<string, unknown>): Promise<Reply> {
  const tool = findTool(name);
  if (tool === undefined) throw new Error(`resource without its tool ${name}`);
  return await callTool(hub, connection, tool, input);
}

function resultOf(reply: Reply): Record<string, unknown> {
  if (reply.ok) return reply.result;
  throw new HubError(reply.error.code, reply.error.message, reply.error.hint === undefined ? {} : { hint: reply.error.hint });
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
