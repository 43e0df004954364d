// Standard input, line by line, with a limit. An over-long line is thrown away as it arrives, without being kept in memory, and answered with
// an error that names the limit; the session goes on. The SDK's transport reads what this lets through.

import { Transform, type TransformCallback } from 'node:stream';

/** How much of an over-long line is kept to find the id of its request in. */
const HEAD_BYTES = 4_096;
const NEWLINE = 0x0a;

/** Why a line was not let through. */
export type Refusal = 'too long' | 'no JSON' | 'no message';

export class LineLimit extends Transform {
  readonly #limit: number;
  readonly #refuse: (id: string | number | null, why: Refusal) => void;
  #length = 0;
  #parts: Buffer[] = [];
  #dropping = false;

  /** `refuse` is told the request id of a dropped line, or null when it could not be found, and why it was dropped. */
  constructor(limitBytes: number, refuse: (id: string | number | null, why: Refusal) => void) {
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
    if (this.#dropping) this.#refuse(requestId(line.toString('latin1')), 'too long');
    else if (line.length > 0) this.#pass(line);
    this.#parts = [];
    this.#length = 0;
    this.#dropping = false;
  }

  /** The SDK drops what it cannot read without a word; its sender would wait for its own time-out. */
  #pass(line: Buffer): void {
    const text = line.toString();
    if (text.trim() === '') return;
    const message = parsed(text);
    if (message === undefined) this.#refuse(null, 'no JSON');
    else if (message === null || typeof message !== 'object' || Array.isArray(message)) this.#refuse(null, 'no message');
    else this.push(Buffer.concat([line, Buffer.from('\n')]));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function requestId(head: string): string | number | null {
  // Only where it is certainly the request's own: before any nested object, in which another id may stand.
  const found = /^\s*\{(?:\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,)*\s*"id"\s*:\s*(?:(\d{1,15})|"([^"\\]{1,100})")/.exec(head);
  if (found === null) return null;
  return found[1] === undefined ? (found[2] ?? null) : Number(found[1]);
}
