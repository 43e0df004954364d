// The doorbell between processes: "something was committed, look again". Each process that waits keeps a unix socket in a private folder;
// whoever commits writes one byte to every socket there, over connections it keeps open. It carries no data (invariant 6):
// a lost, doubled or late ring costs at most the poll interval of the engine. Rung only after the commit, never by watching the WAL,
// which changes before the commit is visible. Where sockets cannot be had, the bell stays silent and says so.

import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** sun_path holds 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_BYTES = 103;

/** Several engines may live in one process (tests, a backup beside a hub): each has a socket of its own. */
let count = 0;

export class Doorbell {
  readonly #folder: string;
  readonly #rung: () => void;
  readonly #lines = new Map<string, Socket>();
  readonly #name = `${process.pid}-${count++}.sock`;
  #server: Server | undefined;
  #trouble: string | undefined;

  constructor(folder: string, rung: () => void) {
    this.#folder = folder;
    this.#rung = rung;
  }

  /** Starts to hear others. Idempotent. */
  open(): void {
    if (this.#server !== undefined || this.#trouble !== undefined) return;
    const path = join(this.#folder, this.#name);
    try {
      this.#makeFolder();
      if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) throw new Error('its path is too long for a socket');
      unlinkQuietly(path); // left by a dead process that had our pid
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#server = createServer((line) => {
      line.on('data', () => this.#rung());
      line.on('error', () => line.destroy());
      line.unref();
    });
    this.#server.on('error', (error) => this.#fail(error));
    this.#server.listen(path);
    this.#server.unref();
  }

  /** Tells every other process. Never throws, never waits. */
  ring(): void {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return; // nobody ever waited on this database
    }
    for (const name of names) if (name !== this.#name && name.endsWith('.sock')) this.#ringOne(name);
    for (const [name, line] of this.#lines) if (!names.includes(name)) this.#hangUp(name, line);
  }

  notices(): string[] {
    return this.#trouble === undefined
      ? []
      : [`No doorbell between processes (${this.#trouble}): waiting calls look twice a second instead.`];
  }

  close(): void {
    for (const [name, line] of this.#lines) this.#hangUp(name, line);
    if (this.#server === undefined) return;
    this.#server.close();
    this.#server = undefined;
    unlinkQuietly(join(this.#folder, this.#name));
  }

  #ringOne(name: string): void {
    const open = this.#lines.get(name);
    if (open !== undefined) {
      if (open.writableLength === 0) open.write('.'); // an unread ring says all that a second one would
      return;
    }
    const line = connect(join(this.#folder, name));
    this.#lines.set(name, line);
    line.unref();
    line.write('.');
    line.on('error', () => {
      this.#hangUp(name, line);
      if (!isAlive(Number.parseInt(name, 10))) unlinkQuietly(join(this.#folder, name));
    });
    line.on('close', () => this.#hangUp(name, line));
  }

  #hangUp(name: string, line: Socket): void {
    if (this.#lines.get(name) === line) this.#lines.delete(name);
    line.destroy();
  }

  /** The folder is the guard: Node cannot ask who is at the other end of a socket. */
  #makeFolder(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(this.#folder);
    if (process.getuid !== undefined && uid !== process.getuid()) throw new Error('its folder belongs to another user');
    if ((mode & 0o077) !== 0) throw new Error('its folder is open to other users');
  }

  #fail(error: unknown): void {
    this.#trouble = error instanceof Error ? error.message : 'unknown reason';
    this.#server?.close();
    this.#server = undefined;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, which is what was wanted.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
