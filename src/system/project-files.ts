// The files of projects on this machine, read as the tasks that expect them need it: whole, bounded, and never outside the project's folder.

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { join, sep } from 'node:path';
import type { ProjectFiles } from '../hub/project-files.ts';

export const systemFiles: ProjectFiles = {
  async digestBelow(root, path, maxBytes) {
    const { open, realpath } = await import('node:fs/promises'); // most hooks read no project
    try {
      const folder = await realpath(root);
      const real = await realpath(join(folder, path));
      if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return null;
      // Not blocking: a pipe that nobody writes to must not hold up a call. Not following: the path was resolved a moment ago.
      const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const stat = await file.stat();
        if (!stat.isFile() || stat.size > maxBytes) return null;
        const hash = createHash('sha256');
        const chunk = Buffer.alloc(65_536);
        let read = 0;
        for (;;) {
          const { bytesRead } = await file.read(chunk, 0, chunk.length, read);
          if (bytesRead === 0) return hash.digest('hex');
          read += bytesRead;
          // It may grow while it is read.
          if (read > maxBytes) return null;
          hash.update(chunk.subarray(0, bytesRead));
        }
      } finally {
        await file.close();
      }
    } catch {
      return null;
    }
  },
};
