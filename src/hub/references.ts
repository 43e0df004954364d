// References to things outside a message: they must mean the same to sender and reader, who work in different folders (perhaps different worktrees).
// So local paths are stored relative to the project root; URIs stay as they are; paths outside the project are refused.

import { isAbsolute, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HubError } from './errors.ts';

const URI = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;
const LONGEST = 1_000;

/** The canonical form of a reference. `roots`: folders whose inside is the project (the session's and the project's own). */
export function toReference(given: string, roots: readonly string[], field = 'attachments'): string {
  const text = given.trim();
  if (text === '' || text.length > LONGEST || text.includes('\0')) {
    throw new HubError('invalid_input', `${field}: a reference must be 1 to ${LONGEST} characters.`, {
      hint: 'Give a project path or a URI.',
    });
  }
  if (URI.test(text) && !text.toLowerCase().startsWith('file:')) return text;
  const normal = pathInProject(pathOf(text), roots);
  if (normal === undefined) {
    throw new HubError(
      'invalid_input',
      `${field}: a path must lie inside the project; nothing was ${field === 'attachments' ? 'sent' : 'changed'}.`,
      {
        hint: 'Readers work in other folders: refer to project files by their path from the project root, to other things by URI.',
      },
    );
  }
  return normal;
}

/** A path from the project root, with forward slashes; undefined when it lies outside of every root. */
export function pathInProject(path: string, roots: readonly string[]): string | undefined {
  const inside = isAbsolute(path) ? roots.map((root) => relative(root, path)).find((candidate) => isInside(candidate)) : path;
  const normal = inside === undefined ? undefined : posix.normalize(inside.split(sep).join('/'));
  return normal !== undefined && isInside(normal) ? normal : undefined;
}

/** The path that a file URI stands for; anything else is a path already. */
function pathOf(text: string): string {
  if (!/^file:/i.test(text)) return text;
  try {
    return fileURLToPath(text);
  } catch {
    return '..'; // another host, or no path at all: certainly not inside the project
  }
}

function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith('../') && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
