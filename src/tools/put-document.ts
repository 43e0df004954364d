// put_document: write a version of what the agents of a project know in common.

import * as z from 'zod';
import { defineTool } from './tool.ts';

export const putDocument = defineTool({
  name: 'put_document',
  title: 'Write a document',
  description:
    'Write what all agents of the project should know, by name, on top of the version you read. brief (managers) is shown to everybody after a lost context.',
  access: 'write',
  toolset: 'memory',
  as: true,
  input: () => ({
    name: z.string().min(1).max(40).describe('lower-case'),
    body: z.string().describe('empty removes it'),
    expected_version: z.int().min(0).optional().describe('the one you read; none for a new document'),
  }),
  output: () => ({ name: z.string(), version: z.int(), sha256: z.string(), removed: z.boolean().optional() }),
  async run({ hub, caller, key, args }, { name, body, expected_version: expectedVersion = 0 }) {
    const { removed, replayed, ...written } = await hub.documents.put(
      caller,
      { name, body, expectedVersion },
      { tool: 'put_document', key, args },
    );
    return { ...written, ...(removed ? { removed } : {}), ...(replayed === true ? { replayed } : {}) };
  },
});
