// Documents: what the agents of a project know in common, by name: its brief, decisions, an interface that two of them agree on. Whoever writes a
// version says on which one it builds, so that nobody writes over what another wrote meanwhile (A-14, S-07); a version is one transaction, so a
// reader has the old or the new one, never half of it. `brief` is what everybody is told again after a lost context: who oversees writes it.

import { createHash } from 'node:crypto';
import { findAgent } from '../store/agents.ts';
import type { Read } from '../store/db.ts';
import {
  addDocumentVersion,
  type DocumentHeadRow,
  type DocumentRow,
  findDocument,
  forgetDocumentVersions,
  listDocuments,
} from '../store/documents.ts';
import { assertOversees, type Caller } from './caller.ts';
import type { Act, Intent } from './command.ts';
import type { HubContext } from './context.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import { assertLabel } from './names.ts';

export const BRIEF = 'brief';

export type Written = { name: string; version: number; sha256: string; removed: boolean; replayed?: boolean };
export type DocumentHead = Omit<DocumentRow, 'projectId' | 'authorId' | 'body'> & { by: string };
export type DocumentView = DocumentHead & { body: string };

export class Documents {
  readonly #context: HubContext;

  constructor(context: HubContext) {
    this.#context = context;
  }

  /**
   * Writes a version on top of `expectedVersion` (0, or nothing: there is none yet); an empty body removes the document. Errors: `conflict` when
   * another version is the newest, `too_large`, `limit_reached`, `forbidden` for the brief.
   */
  async put(caller: Caller, given: { name: string; body: string; expectedVersion: number }, intent: Intent): Promise<Written> {
    const { documentBytes } = this.#context.limits;
    assertLabel('name', given.name);
    if (given.name === BRIEF) assertOversees(caller, 'write the brief');
    const bytes = Buffer.byteLength(given.body);
    if (bytes > documentBytes)
      throw new HubError('too_large', `body has ${bytes} bytes; the limit is ${documentBytes}. Nothing was written.`, {
        hint: 'Put the long part into a project file and name it in the document.',
      });
    if (!(await this.#context.commands.isRetry(caller, intent))) this.#context.rates.take(caller);
    return await this.#context.commands.run(caller, intent, async (act) => {
      const last = await findDocument(act.tx, act.projectId, given.name);
      const newest = last?.bytes === 0 ? undefined : last;
      if ((newest?.version ?? 0) !== given.expectedVersion) throw await this.#overtaken(act, given, newest);
      if (given.body === '' && newest === undefined)
        throw new HubError('invalid_input', 'body: is empty, and there is nothing to remove; nothing was written.', {
          hint: 'Say something.',
        });
      await this.#assertRoom(act, newest);
      const body = wellFormed(given.body);
      const row = {
        projectId: act.projectId,
        name: given.name,
        version: (last?.version ?? 0) + 1,
        body,
        bytes: Buffer.byteLength(body),
        sha256: createHash('sha256').update(body).digest('hex'),
        authorId: caller.agentId,
        writtenAt: act.now,
      };
      await addDocumentVersion(act.tx, row);
      const removed = body === '';
      const kept = removed ? 1 : this.#context.limits.documentVersions;
      await forgetDocumentVersions(act.tx, act.projectId, row.name, row.version - kept + 1);
      const facts = { by: caller.name, version: row.version, ...(removed ? {} : { bytes, sha256: row.sha256 }) };
      await act.emit(removed ? 'document.removed' : 'document.written', row.name, facts);
      return { name: row.name, version: row.version, sha256: row.sha256, removed };
    });
  }

  /** The newest version, or the one that is named while it is kept. Errors: `not_found`. */
  async get(caller: Caller, name: string, version?: number): Promise<DocumentView> {
    return await this.#context.commands.look(caller, async (read) => {
      const found = await findDocument(read, caller.projectId, name, version);
      if (found === undefined || found.bytes === 0)
        throw new HubError(
          'not_found',
          `There is no document ${name.slice(0, 40)}${version === undefined ? '' : ` in version ${version}`}.`,
          {
            hint: `list_documents shows what there is; of each the last ${this.#context.limits.documentVersions} versions are kept.`,
          },
        );
      return { ...(await this.#head(read, found)), body: found.body };
    });
  }

  async list(caller: Caller): Promise<DocumentHead[]> {
    return await this.#context.commands.look(caller, async (read) => {
      const heads: DocumentHead[] = [];
      for (const row of await listDocuments(read, caller.projectId, this.#context.limits.documents))
        heads.push(await this.#head(read, row));
      return heads;
    });
  }

  /** What of them is told again after a lost context: the newest brief, and the names of the rest. */
  async digest(caller: Caller): Promise<{ brief: { body: string; version: number; by: string } | null; names: string[] }> {
    return await this.#context.commands.look(caller, async (read) => {
      const rows = await listDocuments(read, caller.projectId, this.#context.limits.documents);
      const brief = rows.find(({ name }) => name === BRIEF);
      const names = rows.filter((row) => row !== brief).map(({ name }) => name);
      if (brief === undefined) return { brief: null, names };
      const whole = await findDocument(read, caller.projectId, BRIEF);
      const { by } = await this.#head(read, brief);
      return { brief: { body: whole?.body ?? '', version: brief.version, by }, names };
    });
  }

  async #head(read: Read, { name, version, bytes, sha256, authorId, writtenAt }: DocumentHeadRow): Promise<DocumentHead> {
    const by = (await findAgent(read, authorId))?.name ?? 'unknown';
    return { name, version, sha256, writtenAt, by, bytes };
  }

  async #overtaken(act: Act, given: { name: string; expectedVersion: number }, newest: DocumentRow | undefined): Promise<HubError> {
    if (newest === undefined)
      return new HubError('conflict', `expected_version: there is no ${given.name} yet; nothing was written.`, {
        hint: 'Leave expected_version out to write the first version.',
      });
    const by = (await findAgent(act.tx, newest.authorId))?.name ?? 'unknown';
    return new HubError('conflict', `expected_version: ${given.name} is at version ${newest.version}, by ${by}; nothing was written.`, {
      hint: `Read it with get_document, put your change into it, and say expected_version: ${newest.version}.`,
    });
  }

  async #assertRoom(act: Act, newest: DocumentRow | undefined): Promise<void> {
    const { documents } = this.#context.limits;
    if (newest !== undefined || (await listDocuments(act.tx, act.projectId, documents)).length < documents) return;
    throw new HubError('limit_reached', `This project has ${documents} documents, the limit; nothing was written.`, {
      hint: 'Write into one of them, or remove one: an empty body removes it.',
    });
  }
}
