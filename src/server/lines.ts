// Standard input, line by line, with a limit. An over-long line is thrown away as it arrives, without being kept in memory, and answered with
// an error that names the limit; the session goes on. What is let through has been read: it is one object.

/** How much of an over-long line is kept to find the id of its request in. */
const HEAD_BYTES = 4_096;
const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Why a line was not let through. */
export type Refusal = 'too long' | 'no JSON' | 'no message';

export class LineLimit {
  readonly #limit: number;
  readonly #pass: (message: object) => void;
  readonly #refuse: (id: string | number | null, why: Refusal) => void;
  #length = 0;
  #parts: Buffer[] = [];
  #dropping = false;

  /** `refuse` is told the request id of a dropped line, or null when it could not be found, and why it was dropped. */
  constructor(limitBytes: number, pass: (message: object) => void, refuse: (id: string | number | null, why: Refusal) => void) {
    this.#limit = limitBytes;
    this.#pass = pass;
    this.#refuse = refuse;
  }

  /** Takes what came in. */
  read(chunk: Buffer): void {
    let rest = chunk;
    for (;;) {
      const end = rest.indexOf(NEWLINE);
      this.#take(end === -1 ? rest : rest.subarray(0, end));
      if (end === -1) break;
      this.#finish();
      rest = rest.subarray(end + 1);
    }
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
    const line = this.#parts.length === 1 ? (this.#parts[0] ?? EMPTY) : Buffer.concat(this.#parts);
    const isDropped = this.#dropping;
    this.#parts = [];
    this.#length = 0;
    this.#dropping = false;
    if (isDropped) this.#refuse(requestId(line.toString('latin1')), 'too long');
    else if (line.length > 0) this.#readLine(line.toString());
  }

  /** What cannot be read is answered: its sender would wait for its own time-out. */
  #readLine(text: string): void {
    if (text.trim() === '') return;
    const message = parsed(text);
    if (message === undefined) this.#refuse(null, 'no JSON');
    else if (message === null || typeof message !== 'object' || Array.isArray(message)) this.#refuse(null, 'no message');
    else this.#pass(message);
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
