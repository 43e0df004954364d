// What a task is expected to leave behind, checked before it counts as completed (M-16): a file of the project by its path, by its digest, or
// both. Who works on another machine attests a file by its digest; who works on this one has it looked at.

import type { Verification } from '../store/tasks.ts';
import type { Caller } from './caller.ts';
import type { HubContext } from './context.ts';
import { type Artifact, toArtifact } from './task-orders.ts';

export type Checked = { verification: Verification | null; missing: string[] };

/** Looks at the expected artifacts. `roots`: where to look, the session's own folder first. */
export async function checkArtifacts(
  context: HubContext,
  caller: Pick<Caller, 'door'>,
  expected: readonly string[],
  given: readonly Artifact[],
  roots: readonly string[],
): Promise<Checked> {
  if (expected.length === 0) return { verification: null, missing: [] };
  const missing: string[] = [];
  let attested = false;
  for (const text of expected) {
    const wanted = toArtifact(text, roots);
    const found = await look(context, wanted, given, roots);
    if (found === 'present') continue;
    if (found === 'unseen' && caller.door === 'http' && isAttested(wanted, given)) attested = true;
    else missing.push(text);
  }
  if (missing.length > 0) return { verification: 'unverified', missing };
  return { verification: attested ? 'attested' : 'verified', missing };
}

/** `unseen`: there is no such file where the hub can look; `different`: there is, and it holds something else. */
async function look(
  { files, limits }: HubContext,
  wanted: Artifact,
  given: readonly Artifact[],
  roots: readonly string[],
): Promise<'present' | 'different' | 'unseen'> {
  // A digest alone is met by any file that was handed in and holds it.
  const paths = wanted.path === null ? given.flatMap(({ path }) => path ?? []) : [wanted.path];
  let seen = false;
  for (const path of paths) {
    const claimed = given.find((one) => one.path === path)?.sha256 ?? null;
    for (const root of roots) {
      const digest = await files.digestBelow(root, path, limits.artifactBytes);
      if (digest === null) continue;
      seen = true;
      const matches = (sha256: string | null) => sha256 === null || sha256 === `sha256:${digest}`;
      if (matches(wanted.sha256) && matches(claimed)) return 'present';
    }
  }
  return seen ? 'different' : 'unseen';
}

/** Whether whoever hands it in names its digest, the one that was expected where one was. */
function isAttested(wanted: Artifact, given: readonly Artifact[]): boolean {
  return given.some(
    (one) =>
      one.sha256 !== null && (wanted.path === null || one.path === wanted.path) && (wanted.sha256 === null || one.sha256 === wanted.sha256),
  );
}
