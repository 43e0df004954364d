// The next instants that stand in the database, for the scheduler: it asks every second, and mostly nothing was committed in between. Then what
// was found still holds, and an idle process looks at nothing.

import type { Db, Read } from '../store/db.ts';

type Look = (read: Read) => Promise<number | null>;

export class Instants {
  readonly #db: Db;
  readonly #known = new Map<Look, { version: number; at: number | null }>();
  /** One question for all who ask at the same time. */
  #version: Promise<number> | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** What `look` finds, which must depend on nothing but the database, and be the same function each time. */
  async next(look: Look): Promise<number | null> {
    // Asked before the look: what is committed between the two is looked for again.
    this.#version ??= this.#db.version?.().finally(() => {
      this.#version = undefined;
    });
    if (this.#version === undefined) return await this.#db.read(look);
    const version = await this.#version;
    const known = this.#known.get(look);
    if (known?.version === version) return known.at;
    const at = await this.#db.read(look);
    this.#known.set(look, { version, at });
    return at;
  }
}
