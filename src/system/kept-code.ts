// Starting without compiling: what the engine made of the built files when they ran before is kept in the hub's own private folder, and the next
// process of the same kind runs it at once. (Node 22 could do so by itself; Node 20 cannot.) What is kept is trusted blindly by the engine, which
// dies of a damaged byte: so every part stands behind a digest, and only what this very user wrote is taken. Whatever cannot be kept or read
// costs time and nothing else.
// Invariant: code that is run this way must not use import(): scripts of node:vm cannot (scripts/bundle.mjs turns it into require).

import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, Module } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Where behind the index the code of one source lies, and how that source was when it was compiled. */
type Part = { source: string; at: number; length: number; digest: string };
/** `whole`: a process that kept it had done all that its kind does. */
type Index = { parts: Record<string, Part>; whole: boolean };
type Loaded = { script: Script; source: string };

/** The file: the digest of the index, its length, the index, and the parts one after the other. */
const DIGEST_BYTES = 32;
const HEAD_BYTES = DIGEST_BYTES + 4;
const LONGEST_INDEX_BYTES = 1_000_000;
/** What programs of another version, or another Node, kept is taken away when it is older. */
const FORGOTTEN_MS = 14 * 24 * 60 * 60_000;

export class KeptCode {
  readonly #folder: string;
  readonly #kind: string;
  readonly #modules = new Map<string, { exports: unknown }>();
  readonly #loaded = new Map<string, Loaded>();
  #file: number | undefined;
  #index: Index = { parts: {}, whole: false };
  /** Where the parts begin. */
  #behind = 0;
  #nodes: NodeJS.Require | undefined;
  #isNew = false;
  #waiting: NodeJS.Timeout | undefined;

  /** `folder`: private to this user; undefined keeps nothing. `kind`: what processes run alike, for example `stdio`. */
  constructor(folder: string | undefined, kind: string) {
    this.#folder = folder ?? '';
    this.#kind = kind;
    if (folder !== undefined) this.#open();
  }

  /** What the file exports, run once. Its relative requires come the same way, others from Node. */
  load(path: string): unknown {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports;
    this.#nodes ??= createRequire(path);
    const nodes = this.#nodes;
    const there = nodes.cache[path];
    if (there !== undefined) return there.exports;
    const folder = dirname(path);
    const module = { exports: {} as unknown };
    this.#modules.set(path, module);
    const require = Object.assign((id: string) => (id.startsWith('.') ? this.load(join(folder, id)) : nodes(id)), nodes);
    try {
      const run = this.#compile(path).runInThisContext() as (...given: unknown[]) => void;
      run.call(module.exports, module.exports, require, module, path, folder);
    } catch (error) {
      this.#modules.delete(path);
      throw error;
    }
    return module.exports;
  }

  /** Keeps what was compiled, if anything was. It takes a moment. `whole`: the process has done what its kind does; what another kept before is replaced. */
  keep(whole = true): void {
    clearTimeout(this.#waiting);
    const worthIt = this.#isNew || (whole && !this.#index.whole);
    if (worthIt && this.#folder !== '') this.#write(whole);
    this.#loaded.clear();
    this.#isNew = false;
    this.#index = { parts: {}, whole: true };
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** The same later, for a process that goes on. The last call counts. */
  keepIn(ms: number, whole: boolean): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.keep(whole), ms).unref();
  }

  get #name(): string {
    return `${this.#kind}-${process.versions.v8}-${process.arch}.bin`;
  }

  #compile(path: string): Script {
    const { size, mtimeMs } = statSync(path);
    // The engine tells a changed file by its length only.
    const source = `${size}-${Math.round(mtimeMs)}`;
    const cachedData = this.#partOf(basename(path), source);
    const script = new Script(Module.wrap(readFileSync(path, 'utf8')), { filename: path, cachedData });
    if (cachedData === undefined || script.cachedDataRejected === true) this.#isNew = true;
    this.#loaded.set(basename(path), { script, source });
    return script;
  }

  #open(): void {
    try {
      const file = openSync(join(this.#folder, this.#name), 'r');
      this.#file = file;
      const { uid, mode } = fstatSync(file);
      if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return;
      const head = Buffer.alloc(HEAD_BYTES);
      readSync(file, head, 0, HEAD_BYTES, 0);
      const text = Buffer.alloc(Math.min(head.readUInt32LE(DIGEST_BYTES), LONGEST_INDEX_BYTES));
      readSync(file, text, 0, text.length, HEAD_BYTES);
      if (!head.subarray(0, DIGEST_BYTES).equals(digestOf(text))) return;
      this.#index = JSON.parse(text.toString('utf8')) as Index;
      this.#behind = HEAD_BYTES + text.length;
    } catch {
      // Nothing was kept yet.
    }
  }

  #partOf(name: string, source: string): Buffer | undefined {
    const part = this.#index.parts[name];
    return part?.source === source ? this.#read(part) : undefined;
  }

  #read({ at, length, digest }: Part): Buffer | undefined {
    if (this.#file === undefined) return undefined;
    const data = Buffer.allocUnsafeSlow(length);
    try {
      return readSync(this.#file, data, 0, length, this.#behind + at) === length && digestOf(data).toString('hex') === digest
        ? data
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** In one step, so that nobody reads half of it. Where it cannot be kept, starts are slower. */
  #write(whole: boolean): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const unfinished = join(this.#folder, `${this.#name}.${process.pid}`);
      writeFileSync(unfinished, this.#contents(whole), { mode: 0o600 });
      renameSync(unfinished, join(this.#folder, this.#name));
      this.#forget();
    } catch {
      // No room, or not ours.
    }
  }

  /** What was loaded now, and what others of its kind loaded before. */
  #contents(whole: boolean): Buffer {
    const sources: Record<string, { source: string; data: Buffer }> = {};
    for (const [name, part] of Object.entries(this.#index.parts)) {
      const data = this.#loaded.has(name) ? undefined : this.#read(part);
      if (data !== undefined) sources[name] = { source: part.source, data };
    }
    for (const [name, { script, source }] of this.#loaded) sources[name] = { source, data: script.createCachedData() };
    let at = 0;
    const parts: Record<string, Part> = {};
    for (const [name, { source, data }] of Object.entries(sources)) {
      parts[name] = { source, at, length: data.length, digest: digestOf(data).toString('hex') };
      at += data.length;
    }
    const index = Buffer.from(JSON.stringify({ parts, whole } satisfies Index));
    const length = Buffer.alloc(HEAD_BYTES - DIGEST_BYTES);
    length.writeUInt32LE(index.length);
    return Buffer.concat([digestOf(index), length, index, ...Object.values(sources).map(({ data }) => data)]);
  }

  #forget(): void {
    const now = Date.now();
    for (const other of readdirSync(this.#folder)) {
      const path = join(this.#folder, other);
      if (other !== this.#name && other.includes('.bin') && now - statSync(path).mtimeMs > FORGOTTEN_MS) rmSync(path, { force: true });
    }
  }
}

function digestOf(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
