// Whether the database file is still the one that was opened. Writing to a file that was unlinked or replaced succeeds silently, so success is
// answered only for the file that was opened.

import type Database from 'better-sqlite3';
import type { Clock } from '../hub/clock.ts';
import { HubError } from '../hub/errors.ts';
import { assertTrusted, inodeOf } from './sqlite-open.ts';

/** How old the last look at the file may be for what carries no promise; a promise is never given without one. */
const CHECK_MS = 1_000;

export class OpenFile {
  readonly #path: string;
  readonly #inode: string;
  readonly #clock: Clock;
  readonly #db: Database.Database;
  #checkedAt: number;
  #replaced: HubError | undefined;

  /** `inode`: of the file that was opened; `db`: a connection that must stay as it was set. */
  constructor(path: string, inode: string, clock: Clock, db: Database.Database) {
    this.#path = path;
    this.#inode = inode;
    this.#clock = clock;
    this.#db = db;
    this.#checkedAt = clock.monotonic();
  }

  /** Why nothing is read or written any more: whoever follows this file follows the wrong one. */
  get replaced(): HubError | undefined {
    return this.#replaced;
  }

  assertSame(always = false): void {
    const now = this.#clock.monotonic();
    const recent = now - this.#checkedAt <= CHECK_MS;
    if (recent && !always) return;
    if (this.#found() !== this.#inode) {
      this.#replaced = new HubError(
        'unavailable',
        `${this.#path} was removed or replaced while the hub had it open; nothing is acknowledged any more.`,
        { hint: 'Restart the hub; restore from a backup if the file is gone.' },
      );
      throw this.#replaced;
    }
    if (recent) return;
    assertTrusted(this.#db);
    this.#checkedAt = now;
  }

  /** For those who only wait and read: their next look fails and says why. */
  isReplaced(): boolean {
    try {
      this.assertSame();
      return false;
    } catch {
      return this.#replaced !== undefined;
    }
  }

  #found(): string {
    try {
      return inodeOf(this.#path);
    } catch {
      return 'nothing'; // gone
    }
  }
}
