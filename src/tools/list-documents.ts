// list_documents: what the agents of a project know in common, by name.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineTool } from './tool.ts';

export const listDocuments = defineTool({
  name: 'list_documents',
  title: 'List documents',
  description: 'The documents of the project, each with its newest version.',
  access: 'read',
  toolset: 'memory',
  input: () => ({}),
  output: () => ({
    documents: z.array(
      z.object({ name: z.string(), version: z.int(), by: z.string(), written_at: z.string(), bytes: z.int(), sha256: z.string() }),
    ),
  }),
  async run({ hub, caller }) {
    const documents = await hub.documents.list(caller);
    return { documents: documents.map(({ writtenAt, ...head }) => ({ ...head, written_at: toIso(writtenAt) })) };
  },
});
