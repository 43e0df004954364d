// How a client starts Rookery: absolute words that hold from any folder and in any shell, and how they are known again in a file that somebody
// may have rearranged since, or that an older Rookery in another folder has written.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { HubError } from '../../hub/errors.ts';

/** The words that start the program: a Node and the file it runs. */
export type Program = { readonly node: string; readonly main: string };

/** `main`: dist/main.js of this Rookery. `searchPath`: PATH. Throws `conflict` when it lies where it will not stay. */
export function programOf(main: string, searchPath: string | undefined, node: string = process.execPath): Program {
  if (isFleeting(main)) {
    throw new HubError('conflict', 'This Rookery was started from the cache of npx, which is emptied now and then; nothing was written.', {
      hint: 'Install it to stay: npm install --global rookery. Then run: rookery install',
    });
  }
  return { node: lastingName(node, searchPath), main };
}

/** npx keeps what it runs in a cache. */
export function isFleeting(main: string): boolean {
  return /[\\/]_npx[\\/]/.test(main);
}

/** Package managers keep Node in a folder per version behind a name that stays: that name, where the shell finds it. */
function lastingName(node: string, searchPath: string | undefined): string {
  for (const folder of (searchPath ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, 'node');
    if (!existsSync(candidate)) continue;
    return realpathSync(candidate) === realpathSync(node) ? candidate : node;
  }
  return node;
}

/** Whether words start a Rookery, this one or another, with that command (`stdio`, `hook`). */
export function startsRookery(words: readonly string[], command: string): boolean {
  const at = words.indexOf(command);
  const program = words[at - 1];
  return at > 0 && program !== undefined && isRookery(program);
}

/** A file that exists is asked for its package; one that does not, for its name. */
function isRookery(program: string): boolean {
  if (basename(program) === 'rookery') return true;
  if (basename(program) !== 'main.js') return false;
  const manifest = join(dirname(program), '..', 'package.json');
  if (!existsSync(program) || !existsSync(manifest)) return /rookery/i.test(program);
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name === 'rookery';
  } catch {
    return false;
  }
}

/** The words of a line for a shell, as far as quotes go. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [found] of line.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g)) {
    words.push(
      found.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_all, double?: string, single?: string, escaped?: string) =>
        double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
      ),
    );
  }
  return words;
}
