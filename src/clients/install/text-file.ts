// A client's configuration file as it lies on the disk: its bytes, its text, and everything about it that an edit must keep (byte-order mark,
// line ends, mode, the place a symbolic link leads to). What is no text of ours to edit is refused here, before anything is changed.

import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HubError } from '../../hub/errors.ts';

/** A client's settings with its memory of a thousand projects have a few megabytes. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_LINKS = 40;

export type TextFile = {
  /** The path by which the client knows it. */
  readonly path: string;
  /** Where its bytes lie: dotfile managers keep links in the place of the files. */
  readonly target: string;
  /** Undefined: there is none yet. */
  readonly bytes: Buffer | undefined;
  readonly mode: number | undefined;
  /** Without the byte-order mark. */
  readonly text: string;
};

const MARK = '\uFEFF';

/** Reads a file or its absence. Throws `conflict` for what is no plain UTF-8 file, `unavailable` for what cannot be read. */
export function readTextFile(path: string): TextFile {
  const target = followed(path);
  const stats = statOf(target);
  if (stats === undefined) return { path, target, bytes: undefined, mode: undefined, text: '' };
  if (!stats.isFile()) throw refused(path, 'is no plain file');
  if (stats.size > MOST_BYTES) throw refused(path, `is larger than ${MOST_BYTES} bytes`);
  const bytes = read(path, target);
  return { path, target, bytes, mode: stats.mode & 0o7777, text: decoded(path, bytes) };
}

/** The same file with another text: the bytes to be written. */
export function withText(file: TextFile, text: string): Buffer {
  return Buffer.from(file.bytes !== undefined && hasMark(file.bytes) ? MARK + text : text);
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The line end of most lines of a text; a line feed where there is none. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  const all = text.split('\n').length - 1;
  const carried = text.split('\r\n').length - 1;
  return carried * 2 > all ? '\r\n' : '\n';
}

/** Where the last of a chain of links points, whether there is something or not. */
function followed(path: string): string {
  let at = resolve(path);
  for (let hop = 0; hop < MOST_LINKS; hop++) {
    const next = linkAt(path, at);
    if (next === undefined) return at;
    at = resolve(dirname(at), next);
  }
  throw refused(path, 'is a link that leads in circles');
}

/** Where a link points; undefined for what is no link. */
function linkAt(path: string, at: string): string | undefined {
  try {
    return lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(at) : undefined;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function read(path: string, target: string): Buffer {
  try {
    return readFileSync(target);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function decoded(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw refused(path, 'is not UTF-8 text');
  }
}

function hasMark(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function refused(path: string, why: string): HubError {
  return new HubError('conflict', `${path} ${why}; nothing was changed.`, { hint: 'Put it right or move it away, then run this again.' });
}

function unreadable(path: string, error: unknown): HubError {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new HubError('unavailable', `${path} cannot be read${code}; nothing was changed.`, {
    hint: 'Make it readable for you, then run this again.',
    cause: error,
  });
}
