// Standard input, line by line, with a limit. An over-long line is thrown away as it arrives, without being kept in memory, and answered with
// an error that names the limit; the session goes on. The SDK's transport reads what this lets through.

import { Transform, type TransformCallback } from 'node:stream';

/** How much of an over-long line is kept to find the id of its request in. */
const HEAD_BYTES = 4_096;
const NEWLINE = 0x0a;

export class LineLimit extends Transform {
  readonly #limit: number;
  readonly #refuse: (id: string | number | null) => void;
  #length = 0;
  #parts: Buffer[] = [];
  #dropping = false;

  /** `refuse` is told the request id of a dropped line, or null when it could not be found. */
  constructor(limitBytes: number, refuse: (id: string | number | null) => void) {
    super();
    this.#limit = limitBytes;
    this.#refuse = refuse;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = chunk;
    for (;;) {
      const end = rest.indexOf(NEWLINE);
      this.#take(end === -1 ? rest : rest.subarray(0, end));
      if (end === -1) break;
      this.#finish();
      rest = rest.subarray(end + 1);
    }
    done();
  }

  #take(part: Buffer): void {
    this.#length += part.length;
    if (this.#dropping) return;
    this.#parts.push(part);
    if (this.#length > this.#limit) {
      this.#dropping = true;
      this.#parts = [Buffer.concat(this.#parts).subarray(0, HEAD_BYTES)];
    }
  }

  #finish(): void {
    const line = Buffer.concat(this.#parts);
    if (this.#dropping) this.#refuse(requestId(line.toString('latin1')));
    else if (line.length > 0) this.push(Buffer.concat([line, Buffer.from('\n')]));
    this.#parts = [];
    this.#length = 0;
    this.#dropping = false;
  }
}

function requestId(head: string): string | number | null {
  const found = /"id"\s*:\s*(?:(\d{1,15})|"([^"\\]{1,100})")/.exec(head);
  if (found === null) return null;
  return found[1] === undefined ? (found[2] ?? null) : Number(found[1]);
}
