// The history of one client: a line before every call and one after it, appended with a plain write so that kill -9 loses none of them.
// Phases: invoke, then ok (accepted), fail (definitely nothing happened), info (the hub says it cannot know, or
// has a defect), or nothing (unknown: the process died in between).

import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const TASK_OPS = ['claim', 'progress', 'release', 'retry', 'complete'];

export class History {
  #file;
  #client;
  #n = 0;

  constructor(folder, client) {
    this.#client = client;
    this.#file = openSync(join(folder, `${client}.jsonl`), 'a', 0o600);
  }

  write(entry) {
    writeSync(this.#file, `${JSON.stringify({ t: Date.now(), client: this.#client, ...entry })}\n`);
  }

  /** Runs a call between its two lines. An answer that never comes leaves the invocation open: unknown. */
  async record(op, details, call) {
    const id = `${process.pid}.${this.#n++}`;
    this.write({ op, id, phase: 'invoke', ...details });
    let answer;
    try {
      answer = await call();
    } catch (error) {
      this.write({ op, id, phase: 'info', ...details, error: String(error).slice(0, 200) });
      return undefined;
    }
    this.write(
      answer.ok
        ? { op, id, phase: 'ok', ...details, result: brief(op, answer.result) }
        : {
            op,
            id,
            phase: isUnknown(answer.error) ? 'info' : 'fail',
            ...details,
            code: answer.error.code,
            message: answer.error.message,
          },
    );
    return answer;
  }

  close() {
    closeSync(this.#file);
  }
}

/** Whether nobody can say what became of the call. */
export function isUnknown({ code, outcome }) {
  return code === 'internal' || outcome === 'unknown';
}

/** Enough of a body's hash to tell whether it is the same, byte for byte. */
export function fingerprint(body) {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16);
}

/** What the checker needs of an answer. */
function brief(op, result) {
  if (op === 'send' || op === 'refused' || op === 'conflict') {
    const { message_id, seq, replayed, recipients } = result;
    return { message_id, seq, ...(replayed ? { replayed } : {}), to: recipients.map(({ name }) => name) };
  }
  if (op === 'recv' || op === 'stale-session') {
    const messages = (result.messages ?? []).map(({ id, seq, sender_seq, from, urgent, attempt, body }) => ({
      id,
      seq,
      sender_seq,
      from,
      urgent: urgent === true,
      attempt,
      print: fingerprint(body ?? ''),
    }));
    return { receipt: result.receipt, messages, acked: result.acked };
  }
  if (op === 'request') return { approval_id: result.approval_id };
  if (op === 'decide') return { state: result.state };
  if (op === 'consume') return { valid: result.valid };
  if (TASK_OPS.includes(op))
    return {
      state: result.state ?? result.task?.state,
      version: result.version ?? result.task?.version,
      token: result.fencing_token,
      again: result.note?.startsWith('you hold it already'),
    };
  return { acked: result.acked, already: result.already, returned: result.returned };
}

/** Every line of every client, clients one after the other, each in its own order. */
export function readHistories(folder) {
  const lines = readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').flatMap(parse);
}

/** One client's own lines, for resuming after a crash. */
export function readOwn(folder, client) {
  const path = join(folder, `${client}.jsonl`);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .flatMap(parse)
    : [];
}

/** A torn last line is a call whose outcome is unknown; its invocation stands before it. */
function parse(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
