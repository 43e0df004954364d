// What must be true before anything else is loaded: the one check of the platform and of Node. It imports nothing, so that it also runs
// where the packages are missing, and turns a failure to load them into one sentence with a remedy (C20).

/** The oldest Node that the packages and the tests know. */
const OLDEST_NODE: readonly [number, number] = [20, 19];

export type Refusal = { message: string; hint: string };

/** Why Rookery cannot run here at all; undefined when it can. `node`: a version like 20.19.1. */
export function refusalOf(platform: string, node: string): Refusal | undefined {
  if (platform === 'win32') {
    return {
      message: 'Rookery does not run on Windows itself: it relies on file locks and private folders of Unix.',
      hint: 'Run it inside WSL 2, with ROOKERY_HOME on the Linux file system.',
    };
  }
  if (isOldNode(node)) {
    return {
      message: `Rookery needs Node ${OLDEST_NODE.join('.')} or newer; this is ${node}.`,
      hint: 'Install a current Node (https://nodejs.org), then run npm ci.',
    };
  }
  return undefined;
}

export function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

/** The sentence for a package or native part that cannot be loaded; undefined for any other error. */
export function loadFailure(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_DLOPEN_FAILED' || error.message.includes('Could not locate the bindings file')) {
    return {
      message: `The native part of better-sqlite3 is missing or was built for another Node (this is ${process.versions.node}).`,
      hint: 'Run in the folder of Rookery: npm rebuild better-sqlite3',
    };
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const name = /Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1];
    return {
      message: `A package that Rookery needs is missing${name === undefined ? '' : `: ${name}`}.`,
      hint: 'Run in the folder of Rookery: npm ci',
    };
  }
  return undefined;
}
