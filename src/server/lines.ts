// Standard input, line by line, with a limit. An over-long line is thrown away as it arrives, without being kept in memory, and answered with
// an error that names the limit; the session goes on. What is let through has been read: it is one object.

/** How much of either end of an over-long line is kept to find the id of its request in. */
const END_BYTES = 4_096;
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
  /** The end, so far, of a line that is dropped. */
  #tail: Buffer | undefined;

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
    if (this.#tail === undefined) {
      this.#parts.push(part);
      if (this.#length <= this.#limit) return;
      const line = Buffer.concat(this.#parts);
      this.#parts = [Buffer.from(line.subarray(0, END_BYTES))];
      this.#tail = line;
    } else this.#tail = Buffer.concat([this.#tail, part]);
    // A copy, so that the line itself is let go.
    this.#tail = Buffer.from(this.#tail.subarray(-END_BYTES));
  }

  #finish(): void {
    const line = this.#parts.length === 1 ? (this.#parts[0] ?? EMPTY) : Buffer.concat(this.#parts);
    const tail = this.#tail;
    this.#parts = [];
    this.#length = 0;
    this.#tail = undefined;
    if (tail !== undefined) this.#refuse(requestId(line.toString('latin1'), tail.toString('latin1')), 'too long');
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

/** Only where it is certainly the request's own: before any nested object, or with nothing but the end of the message behind it. */
function requestId(head: string, tail: string): string | number | null {
  const first = /^\s*\{(?:\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,)*\s*"id"\s*:\s*(?:(\d{1,15})|"([^"\\]{1,100})")/.exec(head);
  const last = /,\s*"id"\s*:\s*(?:(\d{1,15})|"([^"\\]{1,100})")\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$/.exec(tail);
  const [, number, text] = first ?? last ?? [];
  return number === undefined ? (text ?? null) : Number(number);
}
