// The file that somebody names to be read: it is there, it is no folder, and this user may read it.

import { accessSync, constants, statSync } from 'node:fs';
import { HubError } from '../hub/errors.ts';

/**
 * `hint` says how such a file is made; `name` is what to call it where the path is not what was given. What passes may be a pipe.
 * Errors: `not_found`; `invalid_input` for a folder and for what may not be read.
 */
export function assertGivenFile(path: string, { hint, name = path }: { hint: string; name?: string }): void {
  try {
    if (statSync(path).isDirectory()) throw new HubError('invalid_input', `${name} is a folder, not a file.`, { hint });
    accessSync(path, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new HubError('not_found', `There is no file ${name}.`, { hint });
    if (code === 'EACCES' || code === 'EPERM') throw new HubError('invalid_input', `${name} may not be read by this user.`, { hint });
    throw error;
  }
}
