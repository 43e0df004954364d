// What may be asked for: the request for a task, checked and brought into the form that is stored. Nothing here looks at the database.

import type { DependencyPolicy } from '../store/task-graph.ts';
import { DEPENDENCY_POLICIES } from '../store/task-graph.ts';
import type { OverduePolicy, Priority } from '../store/tasks.ts';
import { wellFormed } from './drafts.ts';
import { HubError } from './errors.ts';
import type { Limits } from './limits.ts';
import { assertLabel } from './names.ts';
import { toReference } from './references.ts';

export type TaskRequest = {
  title: string;
  body?: string | undefined;
  assignee?: string | undefined;
  capabilities?: readonly string[] | undefined;
  labels?: readonly string[] | undefined;
  effortMinutes?: number | undefined;
  priority?: Priority | undefined;
  /** Ids, each perhaps with `:cancel` or `:ignore`. */
  dependsOn?: readonly string[] | undefined;
  parentId?: string | undefined;
  deadlineMs?: number | undefined;
  overdue?: OverduePolicy | undefined;
  notBeforeMs?: number | undefined;
  /** Each a project path, perhaps with ` sha256:<hex>`, or only the digest. */
  expectedArtifacts?: readonly string[] | undefined;
  reviewers?: readonly string[] | undefined;
  quorum?: number | undefined;
  cacheKey?: string | undefined;
  traceparent?: string | undefined;
  /** Its end may be told from outside a session, under a secret of its own. */
  external?: boolean | undefined;
  template?: string | undefined;
  /** Each `name=value`. */
  params?: readonly string[] | undefined;
};

export type Edge = { dependsOn: string; policy: DependencyPolicy };

const SHA256 = /^sha256:[0-9a-f]{64}$/;
/** A capability, perhaps with the least version of it. */
const NEED = /^([a-z0-9][a-z0-9._+-]{0,39})(>=\d[\d.]{0,15})?$/;

/** Checks everything that can be checked without looking. Errors: `invalid_input`, `too_large`, `limit_reached`, each naming its field. */
export function assertOrder(request: TaskRequest, limits: Limits): void {
  if (request.title.trim() === '') throw invalid('title: is empty', 'Say in one line what is to be done.');
  const bytes = Buffer.byteLength(request.body ?? '');
  if (bytes > limits.taskBodyBytes)
    throw new HubError('too_large', `body has ${bytes} bytes; the limit is ${limits.taskBodyBytes}. Nothing was created.`, {
      hint: 'Put the long part into a project file and name it in the body.',
    });
  for (const need of request.capabilities ?? []) {
    if (!NEED.test(need)) throw invalid(`capabilities: "${need.slice(0, 60)}" is none`, 'For example typescript, or node>=20.');
  }
  for (const label of request.labels ?? []) assertLabel('labels', label);
  const count = (field: string, list: readonly string[] | undefined, most: number) => {
    if ((list?.length ?? 0) > most)
      throw new HubError('limit_reached', `${field}: ${list?.length} are more than the ${most} of one task; nothing was created.`, {
        hint: 'Gather some of them in another task.',
      });
  };
  count('depends_on', request.dependsOn, limits.taskDependencies);
  for (const [field, list] of Object.entries({
    capabilities: request.capabilities,
    labels: request.labels,
    expected_artifacts: request.expectedArtifacts,
    reviewers: request.reviewers,
  }))
    count(field, list, limits.taskTags);
  const quorum = request.quorum ?? 0;
  const reviewers = new Set(request.reviewers).size;
  if (quorum > reviewers) throw invalid(`quorum: ${quorum} of ${reviewers} reviewers`, 'Name at least as many reviewers.');
}

/** Of the reviewers, how many must pass it: all, unless it was said otherwise. */
export function quorumOf(request: TaskRequest): number {
  return request.quorum ?? new Set(request.reviewers).size;
}

/** `tsk_…`, `tsk_…:cancel`, `tsk_…:ignore`. */
export function toEdges(dependsOn: readonly string[]): Edge[] {
  const edges = new Map<string, Edge>();
  for (const text of dependsOn) {
    const [id = '', given = 'block'] = text.split(':');
    const policy = DEPENDENCY_POLICIES.find((one) => one === given);
    if (policy === undefined)
      throw invalid(`depends_on: "${given.slice(0, 20)}" is no policy`, 'After the id may stand :block, :cancel or :ignore.');
    edges.set(id, { dependsOn: id, policy });
  }
  return [...edges.values()];
}

export type Artifact = { path: string | null; sha256: string | null };

/** `path`, `path sha256:<hex>` or `sha256:<hex>`; paths become relative to the project. */
export function toArtifact(text: string, roots: readonly string[], field = 'artifacts'): Artifact {
  const [, path, digest] = /^(.*?)(?:(?:^|\s+)(sha256:[0-9a-fA-F]*))?$/.exec(text.trim()) ?? [];
  const sha256 = digest?.toLowerCase() ?? null;
  if (sha256 !== null && !SHA256.test(sha256))
    throw new HubError('invalid_input', `${field}: a digest is sha256: and 64 hexadecimal digits; nothing was changed.`, {
      hint: 'For example: dist/app.js sha256:…',
    });
  return { path: path === undefined || path === '' ? null : toReference(path, roots, field), sha256 };
}

export function toText(artifact: Artifact): string {
  return [artifact.path, artifact.sha256].filter((part) => part !== null).join(' ');
}

/** Title and body as every engine stores them. */
export function wordsOf(request: TaskRequest): { title: string; body: string } {
  return { title: wellFormed(request.title.trim().replace(/\s+/g, ' ')), body: wellFormed(request.body ?? '') };
}

function invalid(what: string, hint: string): HubError {
  return new HubError('invalid_input', `${what}; nothing was created.`, { hint });
}
