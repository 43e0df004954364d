// A PostgreSQL of one's own in a folder that goes away: for tests, proofs and measurements. It listens on a unix socket in that folder only
// (or, asked for, on a loopback port), runs as an unprivileged user even when root starts it, because PostgreSQL refuses root, and keeps its
// promises: fsync stays on. Answers undefined where PostgreSQL is not installed.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WARDEN = fileURLToPath(new URL('postgres-warden.mjs', import.meta.url));

/** Where the server's programs are; undefined where there are none. */
export function postgresPrograms() {
  const packaged = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, 'bin')) : [],
  );
  const listed = (process.env.PATH ?? '').split(':');
  return [...packaged.sort().reverse(), ...listed].find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/**
 * Starts a cluster. `inMemory`: where memory is given as a file system, for what proves nothing about disks. `tcp`: also on a loopback port.
 * `toldAt`: it outlives this process, and a file that names its folder from the first instant on; without, it ends with this process, however that
 * ends. `tls`: `{ cert, key, network, password }`, PEM files with which it is also
 * reached from a network, by password.
 */
export async function startPostgres({ inMemory = false, tcp = false, toldAt, tls, settings = {} } = {}) {
  const programs = postgresPrograms();
  const user = unprivileged();
  if (programs === undefined || user === undefined) return undefined;
  const folder = mkdtempSync(join(inMemory && hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), 'rookery-pg-'));
  const data = join(folder, 'data');
  if (toldAt !== undefined) writeFileSync(toldAt, folder);
  const warden = toldAt === undefined ? lookAfter(folder) : undefined;
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const as = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
  try {
    execFileSync(
      join(programs, 'initdb'),
      ['-D', data, '-U', 'rookery', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
      {
        ...as,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const port = tcp || tls !== undefined ? await freePort() : 5432;
  if (tls !== undefined) admitOverTls(tls, data, user, settings);
  const server = new Server({ programs, folder, data, port, tcp, as, settings, warden, detached: toldAt !== undefined });
  await server.start();
  return server;
}

/** A process that ends the server of a place (postgres-warden.mjs) when its standard input does: with this process, or before. */
export function lookAfter(place) {
  const warden = spawn(process.execPath, [WARDEN, place], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  warden.unref();
  warden.stdin.on('error', () => {});
  warden.stdin.unref();
  return warden;
}

class Server {
  #parts;
  #process;

  constructor(parts) {
    this.#parts = parts;
  }

  /** A URL of a database; `more`: further parameters. */
  url(database = 'postgres', more = {}) {
    const { folder, port, tcp } = this.#parts;
    const query = new URLSearchParams({ ...(tcp ? {} : { host: folder, port: String(port) }), ...more }).toString();
    return `postgres://rookery@127.0.0.1:${port}/${database}${query === '' ? '' : `?${query}`}`;
  }

  get pid() {
    return this.#process?.pid;
  }

  get folder() {
    return this.#parts.folder;
  }

  get port() {
    return this.#parts.port;
  }

  get programs() {
    return this.#parts.programs;
  }

  /** What the server wrote to its log. */
  log() {
    return readFileSync(join(this.#parts.folder, 'log'), 'utf8');
  }

  /** Starts it again where it was. */
  async start() {
    const { programs, folder, data, port, tcp, as, settings, detached } = this.#parts;
    const given = {
      listen_addresses: tcp ? '127.0.0.1' : '',
      unix_socket_directories: folder,
      port,
      max_connections: 300,
      shared_buffers: '64MB',
      max_wal_size: '256MB',
      logging_collector: 'off',
      ...settings,
    };
    const log = openSync(join(folder, 'log'), 'a');
    const flags = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#process = spawn(join(programs, 'postgres'), ['-D', data, ...flags], { ...as, stdio: ['ignore', log, log], detached });
    closeSync(log);
    if (detached) this.#process.unref();
    for (let left = 300; ; left--) {
      const asked = spawnSync(join(programs, 'pg_isready'), ['-q', '-h', folder, '-p', String(port)], { env: as.env });
      if (asked.status === 0) return;
      if (left === 0 || this.#process.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** SIGINT ends it in order, SIGQUIT and SIGKILL do not. */
  async halt(signal = 'SIGINT') {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await ended;
    if (signal === 'SIGKILL') await this.#orphansGone();
  }

  async stop() {
    await this.halt('SIGQUIT');
    rmSync(this.#parts.folder, { recursive: true, force: true });
    this.#parts.warden?.stdin.end();
  }

  /** Runs SQL by psql, as its own user. */
  sql(text, database = 'postgres') {
    const { programs, folder, port, as } = this.#parts;
    return execFileSync(
      join(programs, 'psql'),
      ['-X', '-q', '-t', '-A', '-h', folder, '-p', String(port), '-U', 'rookery', '-d', database, '-c', text],
      {
        ...as,
        encoding: 'utf8',
      },
    ).trim();
  }

  /** Runs one of the server's programs (pg_dump, pg_restore, ...) as its user, connected by its socket. */
  run(program, args) {
    const { programs, folder, port, as } = this.#parts;
    return execFileSync(join(programs, program), ['-h', folder, '-p', String(port), '-U', 'rookery', ...args], { ...as, encoding: 'utf8' });
  }

  /** After a kill the server's children end by themselves; only then may it be started again. */
  async #orphansGone() {
    const { data } = this.#parts;
    rmSync(join(data, 'postmaster.pid'), { force: true });
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The server reads a key only if it is its own. */
function admitOverTls({ cert, key, network }, data, { uid, gid }, settings) {
  for (const [file, from] of [
    ['server.crt', cert],
    ['server.key', key],
  ]) {
    copyFileSync(from, join(data, file));
    chmodSync(join(data, file), 0o600);
    if (uid !== undefined) chownSync(join(data, file), uid, gid);
  }
  appendFileSync(join(data, 'pg_hba.conf'), `\nhostssl all all ${network} scram-sha-256\n`);
  Object.assign(settings, { listen_addresses: '*', ssl: 'on' });
}

/** root may not run it: then it is Debian's postgres, or nobody. */
function unprivileged() {
  if (process.getuid === undefined) return undefined;
  if (process.getuid() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout));
    if (ids.every((id) => Number.isInteger(id) && id > 0)) return { uid: ids[0], gid: ids[1] };
  }
  return undefined;
}

function hasRoom(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 1024 ** 3;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
