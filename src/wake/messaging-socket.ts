// Claude Code's messaging socket: a session listens for other sessions on this machine, and hands its path and a token to the servers it starts.
// The first line (auth) is documented; the shape of the second is not: it was observed on the wire (peer protocol 1, Claude Code 2.1.329). So
// whatever is not as expected is a failure of this door, and others follow. An idle session begins a turn; a busy one is told before the next
// call of its model, and nothing that runs is cancelled.

import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { postedNotice } from '../hub/wake-notice.ts';
import type { HostedDoor, Notice, WakeResult } from './waker.ts';

export type ClaudeSocket = { path: string; token: string | undefined };

/** The other end takes lines within milliseconds or not at all. */
const TIMEOUT_MS = 3_000;

export function messagingSocket(socket: ClaudeSocket, sleep: (ms: number, signal: AbortSignal) => Promise<void>): HostedDoor {
  return { kind: 'messaging_socket', wake: (notice) => post(socket, notice, sleep) };
}

/** Whether there is such a socket, and it belongs to this user: nobody else is to be told of anybody's mail. */
export function hasSocket({ path }: ClaudeSocket): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true && (process.getuid === undefined || found.uid === process.getuid());
}

async function post(
  socket: ClaudeSocket,
  { line }: Notice,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<WakeResult> {
  if (!hasSocket(socket)) return { sent: false, detail: 'the session’s messaging socket is gone' };
  const message = {
    msgV: 1,
    msg_id: randomUUID(),
    type: 'user',
    message: { role: 'user', content: postedNotice(line) },
    priority: 'next',
  };
  const lines = [...(socket.token === undefined ? [] : [{ type: 'auth', token: socket.token }]), message];
  const text = lines.map((one) => `${JSON.stringify(one)}\n`).join('');
  const done = new AbortController();
  const written = new Promise<WakeResult>((resolve) => {
    const peer = connect(socket.path);
    let answer = '';
    peer.setEncoding('utf8');
    // It says nothing when it takes the message; an answer is an objection.
    peer.on('data', (part: string) => {
      answer = (answer + part).slice(0, 200);
    });
    peer.on('error', (error) => resolve({ sent: false, detail: `the messaging socket: ${error.message}` }));
    peer.on('close', () =>
      resolve(/"(error|rejected|refused)"/.test(answer) ? { sent: false, detail: 'the session refused it' } : { sent: true }),
    );
    peer.end(text);
    done.signal.addEventListener('abort', () => peer.destroy());
  });
  const late = sleep(TIMEOUT_MS, done.signal).then(
    (): WakeResult => ({ sent: false, detail: 'the messaging socket took no line in time' }),
  );
  const result = await Promise.race([written, late]);
  done.abort();
  return result;
}
