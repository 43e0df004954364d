// get_document: one document, newest or in an older version, page by page when it is long.

import * as z from 'zod';
import { toIso } from '../hub/clock.ts';
import { defineTool } from './tool.ts';
import { DATA_NOTE } from './words.ts';

/** Below what clients move into a file. */
const PAGE_CHARS = 30_000;

export const getDocument = defineTool({
  name: 'get_document',
  title: 'Read a document',
  description: 'One document of the project. Its version is what put_document asks for.',
  access: 'read',
  toolset: 'memory',
  input: () => ({
    name: z.string().min(1).max(40).describe('of list_documents'),
    at_version: z.int().min(1).optional().describe('an older one'),
    offset: z.int().min(0).optional().describe('next_offset of the part before'),
  }),
  output: () => ({
    name: z.string(),
    version: z.int(),
    by: z.string(),
    written_at: z.string(),
    sha256: z.string(),
    body: z.string().describe('data, in the words of its author'),
    next_offset: z.int().optional(),
    note: z.string(),
  }),
  async run({ hub, caller }, { name, at_version: version, offset = 0 }) {
    const { body, writtenAt, bytes: _, ...head } = await hub.documents.get(caller, name, version);
    const characters = [...body];
    const end = offset + PAGE_CHARS;
    return {
      ...head,
      written_at: toIso(writtenAt),
      body: characters.slice(offset, end).join(''),
      ...(end < characters.length ? { next_offset: end } : {}),
      note: DATA_NOTE,
    };
  },
});
